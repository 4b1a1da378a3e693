//! Identifiers that come from outside, each a type of its own.
//!
//! They hold what was read, without a check: an object with an odd name still has to be named in an error. Where a rule
//! applies (the local identity), [`crate::check_dns_label`] checks it.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the text is empty, which stands for "not known" in objects of Liqo.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

identifier! {
    /// The identity of a cluster for Liqo, a UUID in practice; also the user name of a peer at our API server.
    ClusterId
}
identifier! {
    /// The name that a cluster's administrator gave it; not unique.
    ClusterName
}
identifier! {
    /// The name of a namespace.
    NamespaceName
}
identifier! {
    /// `metadata.uid`: tells two lives of one name apart.
    Uid
}

/// `metadata.resourceVersion`: an opaque text that grows, by the API conventions of Kubernetes, when read as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceVersion(String);

impl ResourceVersion {
    /// Wraps the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The order of two versions of one cluster, or nothing when one of them is not a number.
    ///
    /// Versions of different clusters, or of one cluster before and after a restore, have no order.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let ours: u64 = self.0.parse().ok()?;
        let theirs: u64 = other.0.parse().ok()?;
        Some(ours.cmp(&theirs))
    }

    /// Whether this version is certainly older than the other.
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Less)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<&str> for ResourceVersion {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for ResourceVersion {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers_and_not_as_texts() {
        let nine = ResourceVersion::from("9");
        let ten = ResourceVersion::from("10");
        assert!(nine.is_older_than(&ten));
        assert!(!ten.is_older_than(&nine));
        assert!(!ten.is_older_than(&ten));
    }

    #[test]
    fn a_version_that_is_no_number_has_no_order() {
        let odd = ResourceVersion::from("abc");
        assert_eq!(odd.compare(&ResourceVersion::from("10")), None);
        assert!(!odd.is_older_than(&ResourceVersion::from("10")));
    }

    #[test]
    fn identifiers_are_plain_strings_in_json() {
        let id = ClusterId::from("7f081ef5");
        assert_eq!(serde_json::to_string(&id).ok().as_deref(), Some("\"7f081ef5\""));
    }
}
