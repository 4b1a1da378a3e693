//! What an event is about: an object, a command.

use std::str::FromStr;

use liqo_events::{CommandId, Deadline, Event};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use thiserror::Error;

/// The object that an event is about. Outcomes name a command, whose issue names the object; only success repeats it.
pub fn object_of(event: &Event) -> Option<&ObjectKey> {
    match event {
        Event::Applied(applied) => Some(&applied.object),
        Event::Vanished(vanished) => Some(&vanished.object),
        Event::OrphanNoticed(noticed) => Some(&noticed.map),
        Event::OrphanReleased(released) => Some(&released.map),
        Event::Rejected(rejected) => Some(&rejected.object),
        Event::CommandIssued(issued) => Some(&issued.command.slot.object),
        Event::CommandSucceeded(done) => Some(&done.slot.object),
        Event::DeadlinePassed(passed) => match &passed.deadline {
            Deadline::Retry(_) => None,
            Deadline::Orphan { map, .. } => Some(map),
        },
        Event::Started(_)
        | Event::CursorMoved(_)
        | Event::RelistCompleted(_)
        | Event::GenerationChanged(_)
        | Event::LeaseGained(_)
        | Event::LeaseLost(_)
        | Event::IdentityChosen(_)
        | Event::RemoteNamespaceChosen(_)
        | Event::Configured(_)
        | Event::TunnelReported(_)
        | Event::ServerProbed(_)
        | Event::SharingConfigured(_)
        | Event::ShareReported(_)
        | Event::SubnetsChosen(_)
        | Event::SubnetsReleased(_)
        | Event::ExternalCidrChosen(_)
        | Event::CommandSuperseded(_)
        | Event::CommandFailed(_) => None,
    }
}

/// The command that an event issues, ends or tries again.
pub fn command_of(event: &Event) -> Option<CommandId> {
    match event {
        Event::CommandIssued(issued) => Some(issued.command.id),
        Event::CommandSucceeded(done) => Some(done.id),
        Event::CommandSuperseded(done) => Some(done.id),
        Event::CommandFailed(failed) => Some(failed.id),
        Event::DeadlinePassed(passed) => match &passed.deadline {
            Deadline::Retry(id) => Some(*id),
            Deadline::Orphan { .. } => None,
        },
        Event::Started(_)
        | Event::Applied(_)
        | Event::Vanished(_)
        | Event::CursorMoved(_)
        | Event::RelistCompleted(_)
        | Event::GenerationChanged(_)
        | Event::LeaseGained(_)
        | Event::LeaseLost(_)
        | Event::OrphanReleased(_)
        | Event::IdentityChosen(_)
        | Event::RemoteNamespaceChosen(_)
        | Event::Configured(_)
        | Event::TunnelReported(_)
        | Event::ServerProbed(_)
        | Event::SharingConfigured(_)
        | Event::ShareReported(_)
        | Event::SubnetsChosen(_)
        | Event::SubnetsReleased(_)
        | Event::ExternalCidrChosen(_)
        | Event::Rejected(_)
        | Event::OrphanNoticed(_) => None,
    }
}

/// The command with this ID, as [`CommandId`] is shown: 32 hexadecimal digits. Nothing when it is no such text.
pub fn parse_command(text: &str) -> Option<CommandId> {
    let mut id = CommandId::default();
    if text.len() != 2 * id.0.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in id.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(id)
}

/// Which objects are meant. A part that is missing fits every object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPattern {
    /// The cluster.
    pub cluster: Option<ClusterRef>,
    /// The kind.
    pub kind: Option<Kind>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// A text that names no object.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// No such kind.
    #[error("there is no kind {kind:?}; kinds are {}", known_kinds())]
    UnknownKind {
        /// What was asked for.
        kind: String,
    },
    /// Not of the form.
    #[error(
        "{text:?} names no object: write KIND/NAME or KIND/NAMESPACE/NAME, with CLUSTER-ID: before it for an object of a peer"
    )]
    Form {
        /// What was written.
        text: String,
    },
}

fn known_kinds() -> String {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.join(", ")
}

impl ObjectPattern {
    /// Reads the parts; those that are empty fit everything, and `local` is the cluster of the process.
    ///
    /// # Errors
    ///
    /// [`PatternError::UnknownKind`].
    pub fn from_parts(cluster: &str, kind: &str, namespace: &str, name: &str) -> Result<Self, PatternError> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let unknown = || PatternError::UnknownKind { kind: kind.to_owned() };
        Ok(Self {
            cluster: given(cluster)
                .map(|id| if id == "local" { ClusterRef::Local } else { ClusterRef::Remote(id.into()) }),
            kind: if kind.is_empty() { None } else { Some(Kind::from_name(kind).ok_or_else(unknown)?) },
            namespace: given(namespace),
            name: given(name),
        })
    }

    /// Whether the object is one of those.
    pub fn fits(&self, object: &ObjectKey) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| *cluster == object.cluster)
            && self.kind.is_none_or(|kind| kind == object.kind)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace)
            && self.name.as_ref().is_none_or(|name| *name == object.name)
    }
}

/// `KIND/NAME` or `KIND/NAMESPACE/NAME`, which is how objects are shown; a cluster before it, else the local one is meant.
impl FromStr for ObjectPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (cluster, object) = text.split_once(':').unwrap_or(("local", text));
        let form = || PatternError::Form { text: text.to_owned() };
        let parts: Vec<&str> = object.split('/').collect();
        if cluster.is_empty() || parts.iter().any(|part| part.is_empty()) {
            return Err(form());
        }
        match parts.as_slice() {
            [kind, name] => Self::from_parts(cluster, kind, "", name),
            [kind, namespace, name] => Self::from_parts(cluster, kind, namespace, name),
            _ => Err(form()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milan() -> ObjectKey {
        ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan")
    }

    #[test]
    fn an_object_is_found_by_the_text_that_shows_it() {
        let mut remote = ObjectKey::local(Kind::Pod, "shop", "web");
        remote.cluster = ClusterRef::Remote("milan-id".into());
        for object in [milan(), ObjectKey::local(Kind::Pod, "shop", "web"), remote] {
            let pattern: ObjectPattern = object.to_string().parse().unwrap();
            assert!(pattern.fits(&object), "{object}");
        }
    }

    #[test]
    fn a_command_is_read_as_it_is_shown() {
        let id = CommandId(*b"0123456789abcdef");
        assert_eq!(parse_command(&id.to_string()), Some(id));
        for text in ["", "ab", &"g".repeat(32), &"+1".repeat(16), &"ab".repeat(17), &"é".repeat(16)] {
            assert_eq!(parse_command(text), None, "{text}");
        }
    }

    #[test]
    fn other_objects_do_not_fit() {
        let pattern: ObjectPattern = "foreignclusters/milan".parse().unwrap();
        assert!(pattern.fits(&milan()));
        let mut others = [milan(), milan(), milan()];
        others[0].name = "rome".into();
        others[1].kind = Kind::Node;
        others[2].cluster = ClusterRef::Remote("x".into());
        assert!(others.iter().all(|other| !pattern.fits(other)));
        assert!(ObjectPattern::default().fits(&milan()));
    }

    #[test]
    fn a_text_that_names_no_object_is_refused_with_what_to_write() {
        for text in ["", "milan", "a/b/c/d", "pod/", ":pod/x", "pod//x"] {
            assert_eq!(
                text.parse::<ObjectPattern>(),
                Err(PatternError::Form { text: text.into() }),
                "{text}"
            );
        }
        let unknown = "thing/x".parse::<ObjectPattern>().unwrap_err();
        assert_eq!(unknown, PatternError::UnknownKind { kind: "thing".into() });
        assert!(unknown.to_string().contains("ForeignCluster, ResourceRequest"));
    }
}
