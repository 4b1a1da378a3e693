//! From objects to events.

use liqo_events::{
    Applied, EncodeError, Envelope, Event, Facts, Proof, Recorded, Seq, StateDigest, UnixMillis, Vanished,
};
use liqo_model::{ClusterRef, Kind};

use crate::project::{project, too_deep};
use crate::{DigestKey, RawObject};

/// Largest encoded event that carries a projection. Two KiB are usual; a NamespaceMap of 150 namespaces has about this.
/// A record of the log may have twice as much.
const MOST_BYTES: usize = 16 << 10;

/// Makes events of the objects of one kind and cluster.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    pub(super) cluster: ClusterRef,
    pub(super) kind: Kind,
    pub(super) key: DigestKey,
}

impl Observer {
    /// The object was seen. `wire_bytes` is how much JSON it came out of.
    pub(super) fn applied(&self, object: &RawObject, wire_bytes: usize) -> Applied {
        let key = object.key(&self.cluster, self.kind);
        let facts = if object.too_deep { too_deep(&key) } else { project(&key, &object.body, &self.key) };
        let applied = Applied {
            object: key,
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            generation: object.generation,
            created_at: object.created_at,
            deleting: object.deleting,
            digest: self.key.digest(self.kind, &object.body),
            facts,
            coalesced: 0,
        };
        // Every text of a projection is in the object once, so what comes of a small object is small.
        if wire_bytes > MOST_BYTES { bounded(applied) } else { applied }
    }

    /// The watch said that the object is gone.
    pub(super) fn deleted(&self, object: &RawObject) -> Vanished {
        Vanished {
            object: object.key(&self.cluster, self.kind),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            proof: Proof::Deleted,
        }
    }
}

/// How many of the events are about objects that cannot be understood.
pub(super) fn malformed(events: &[Event]) -> u32 {
    let malformed = |event: &&Event| match event {
        Event::Applied(applied) => matches!(applied.facts, Facts::Malformed(_) | Facts::Oversized(_)),
        _ => false,
    };
    u32::try_from(events.iter().filter(malformed).count()).unwrap_or(u32::MAX)
}

/// The event, without its facts when they are too many.
fn bounded(applied: Applied) -> Applied {
    let event = Event::Applied(applied.clone());
    let recorded = Recorded { seq: Seq::FIRST, recorded_at: UnixMillis(0), caused_by: None, event };
    let bytes = match Envelope::seal(&recorded, StateDigest::default(), None) {
        Ok(envelope) => envelope.payload.len(),
        Err(EncodeError::TooLarge { bytes, .. }) => bytes,
        Err(EncodeError::Refused { .. }) => usize::MAX,
    };
    if bytes <= MOST_BYTES {
        return applied;
    }
    Applied { facts: Facts::Oversized(bytes as u64), ..applied }
}

#[cfg(test)]
mod tests {
    use liqo_events::NamespaceFacts;
    use liqo_model::ObjectKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::object::read_tree;

    fn observer(kind: Kind) -> Observer {
        Observer { cluster: ClusterRef::Local, kind, key: DigestKey::new(&[1; 16]).unwrap() }
    }

    fn observe(kind: Kind, text: &str) -> Applied {
        let object = RawObject::from_tree(read_tree(text.as_bytes()).unwrap()).unwrap();
        observer(kind).applied(&object, text.len())
    }

    #[test]
    fn an_object_becomes_an_event() {
        let text = r#"{"metadata":{"name":"shop","uid":"u","resourceVersion":"7","generation":2,
            "creationTimestamp":"1970-01-01T00:00:02Z","labels":{"liqo.io/scheduling-enabled":"true"}}}"#;
        let body: Value = serde_json::from_str(text).unwrap();
        let expected = Applied {
            object: ObjectKey::local_cluster_scoped(Kind::Namespace, "shop"),
            uid: "u".into(),
            resource_version: "7".into(),
            generation: 2,
            created_at: UnixMillis(2000),
            deleting: false,
            digest: observer(Kind::Namespace).key.digest(Kind::Namespace, &body),
            facts: Facts::Namespace(NamespaceFacts { scheduling_enabled: true, ..NamespaceFacts::default() }),
            coalesced: 0,
        };
        assert_eq!(observe(Kind::Namespace, text), expected);
    }

    #[test]
    fn a_projection_that_no_record_can_hold_is_left_out() {
        let mapping = |namespaces: usize| {
            let desired: Value = (0..namespaces)
                .map(|at| (format!("namespace-{at:05}"), json!(format!("namespace-{at:05}-rome-ba7816"))))
                .collect::<serde_json::Map<_, _>>()
                .into();
            let metadata = json!({"name": "m", "namespace": "t", "uid": "u", "resourceVersion": "7"});
            json!({"metadata": metadata, "spec": {"desiredMapping": desired}}).to_string()
        };
        assert!(matches!(observe(Kind::NamespaceMap, &mapping(300)).facts, Facts::NamespaceMap(_)));
        for namespaces in [500, 5000] {
            let applied = observe(Kind::NamespaceMap, &mapping(namespaces));
            assert!(matches!(applied.facts, Facts::Oversized(bytes) if bytes > 16 << 10), "{applied:?}");
        }
    }

    #[test]
    fn an_object_that_was_not_read_whole_is_malformed() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let text = format!(r#"{{"metadata":{{"name":"a","uid":"u","resourceVersion":"1"}},"spec":{deep}}}"#);
        let reason = "Namespace/a: it is nested too deeply to be read; make it flatter";
        assert_eq!(observe(Kind::Namespace, &text).facts, Facts::Malformed(reason.to_owned()));
    }
}
