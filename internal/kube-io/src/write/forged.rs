//! What a transform says, as a step.

use liqo_model::ObjectKey;
use liqo_reflection::difference::{self, Field};
use liqo_reflection::{Forged, Why};
use serde_json::Value;

use super::step::Step;

/// The step that makes an object what was forged. `fields` are those of its kind.
pub(crate) fn step(key: &ObjectKey, forged: Forged, object: Option<&Value>, fields: &[Field]) -> Step {
    match (forged, object) {
        (Forged::Skip(why @ (Why::NotOurs | Why::ForeignOrigin)), _) => Step::Park(format!("{key}: {why}")),
        // It is on its way out, and comes back when it is gone.
        (Forged::Skip(Why::Terminating), Some(_)) => Step::Later(format!("{key} is being deleted")),
        (Forged::Skip(_), _) | (Forged::Absent(_), None) => Step::Nothing,
        (Forged::Absent(why), Some(object)) if object["metadata"]["deletionTimestamp"].is_string() => {
            Step::Later(format!("{key} is being deleted: {why}"))
        }
        (Forged::Absent(_), Some(_)) => Step::Delete,
        (Forged::Object(wanted), None) => Step::Create(wanted),
        (Forged::Object(wanted), Some(object)) => match difference::patch(object, &wanted, fields) {
            Some(patch) => Step::Patch(patch),
            None => Step::Nothing,
        },
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_must_not_be_there_is_deleted_once() {
        let key = ObjectKey::local(Kind::ConfigMap, "shop", "a");
        let absent = || Forged::Absent(Why::SkipAnnotation);
        assert_eq!(step(&key, absent(), None, &[]), Step::Nothing);
        assert_eq!(step(&key, absent(), Some(&json!({})), &[]), Step::Delete);
        let leaving = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert!(matches!(step(&key, absent(), Some(&leaving), &[]), Step::Later(_)));
        let foreign = step(&key, Forged::Skip(Why::NotOurs), Some(&json!({})), &[]);
        assert!(matches!(foreign, Step::Park(_)), "{foreign:?}");
        assert_eq!(step(&key, Forged::Skip(Why::Completed), None, &[]), Step::Nothing);
    }
}
