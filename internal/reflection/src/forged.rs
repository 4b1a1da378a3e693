//! What a transform says.

use std::fmt;

use serde_json::Value;

use crate::fields;

/// What becomes of an object in the other cluster.
#[derive(Clone, PartialEq)]
pub enum Forged {
    /// Nothing is done, and what is there stays.
    Skip(Why),
    /// There shall be no such object; what is there and ours is to be deleted, with its uid as precondition.
    Absent(Why),
    /// The fields that are ours, complete enough to make the object. An existing one is changed by
    /// [`crate::difference::patch`].
    Object(Value),
}

impl fmt::Debug for Forged {
    /// Names the object only: it may be a Secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip(why) => write!(out, "Skip({why:?})"),
            Self::Absent(why) => write!(out, "Absent({why:?})"),
            Self::Object(object) => write!(out, "Object({})", fields::named(object)),
        }
    }
}

/// Why there is no object, or none that would be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// An object of that name belongs to somebody else.
    NotOurs,
    /// Kubernetes makes an object of that name in every cluster.
    BuiltIn,
    /// The object carries the skip annotation.
    SkipAnnotation,
    /// The Service that the endpoints belong to carries the skip annotation.
    ServiceSkipped,
    /// The Secret holds tokens of a service account, which go their own way.
    HoldsTokens,
    /// The home object is being deleted.
    HomeTerminating,
    /// The pod was given up when its namespace was not extended any more.
    Aborted,
    /// The pod ended for good and never runs again.
    Completed,
    /// The object stands for an earlier one of the same name.
    OtherLife,
    /// A field that Kubernetes lets nobody change is different, so the object has to be made anew.
    Immutable(&'static str),
    /// Only addresses of IPv4 are translated.
    AddressFamily,
    /// Address reflection is switched off, and endpoints are nothing without it.
    NoAddressReflection,
    /// There is no remote pod whose status could be shown.
    NoRemotePod,
    /// The object does not say that it comes from the consumer whose namespace it is in.
    ForeignOrigin,
    /// The object is being deleted.
    Terminating,
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotOurs => "an object of that name belongs to somebody else",
            Self::BuiltIn => "Kubernetes makes such an object in every cluster",
            Self::SkipAnnotation => "the object carries the annotation liqo.io/skip-reflection",
            Self::ServiceSkipped => "its Service carries the annotation liqo.io/skip-reflection",
            Self::HoldsTokens => "it holds tokens of a service account",
            Self::HomeTerminating => "the home object is being deleted",
            Self::Aborted => "the pod was given up when its namespace was not extended any more",
            Self::Completed => "the pod has ended and never runs again",
            Self::OtherLife => "the remote object stands for an earlier object of the same name",
            Self::Immutable(field) => return write!(out, "{field} changed, which needs a new object"),
            Self::AddressFamily => "only addresses of IPv4 are translated",
            Self::NoAddressReflection => "address reflection is switched off",
            Self::NoRemotePod => "there is no remote pod",
            Self::ForeignOrigin => "it does not come from the cluster that the namespace belongs to",
            Self::Terminating => "the object is being deleted",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_of_an_object_is_its_name() {
        let secret =
            json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "b"}, "data": {"k": "Y2FuYXJ5"}});
        assert_eq!(format!("{:?}", Forged::Object(secret)), "Object(Secret b/a)");
        assert_eq!(format!("{:?}", Forged::Skip(Why::NotOurs)), "Skip(NotOurs)");
    }
}
