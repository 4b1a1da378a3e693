//! One finalizer among those of others.

use liqo_model::ObjectKey;
use serde_json::{Value, json};

use super::step::Step;

pub(super) fn step(key: &ObjectKey, finalizer: &str, present: bool, object: &Value) -> Step {
    let metadata = &object["metadata"];
    let known: Vec<&str> =
        metadata["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if known.contains(&finalizer) == present {
        return Step::Nothing;
    }
    if present && metadata["deletionTimestamp"].is_string() {
        // API servers refuse new finalizers then.
        return Step::Superseded(format!("{key} is being deleted"));
    }
    let mut wanted: Vec<&str> = known.into_iter().filter(|name| *name != finalizer).collect();
    if present {
        wanted.push(finalizer);
    }
    // A list is replaced whole, which loses nothing: the patch counts only for the version that was read.
    Step::Patch(json!({"metadata": {"finalizers": wanted}}))
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;

    use super::*;

    fn step_for(metadata: Value, present: bool) -> Step {
        let key = ObjectKey::local(Kind::NamespaceOffloading, "shop", "offloading");
        step(&key, "ours", present, &json!({"metadata": metadata}))
    }

    fn patch(finalizers: Value) -> Step {
        Step::Patch(json!({"metadata": {"finalizers": finalizers}}))
    }

    #[test]
    fn those_of_others_stay_in_their_order() {
        assert_eq!(step_for(json!({"finalizers": ["b", "a"]}), true), patch(json!(["b", "a", "ours"])));
        assert_eq!(step_for(json!({"finalizers": ["b", "ours", "a"]}), false), patch(json!(["b", "a"])));
        assert_eq!(step_for(json!({}), true), patch(json!(["ours"])));
        assert_eq!(step_for(json!({"finalizers": ["ours"]}), false), patch(json!([])));
    }

    #[test]
    fn what_is_so_is_left_alone() {
        assert_eq!(step_for(json!({"finalizers": ["ours"]}), true), Step::Nothing);
        assert_eq!(step_for(json!({"finalizers": null}), false), Step::Nothing);
    }

    #[test]
    fn an_object_that_is_being_deleted_gets_none_and_gives_it_back() {
        let deleted = "2026-01-01T00:00:00Z";
        assert!(matches!(step_for(json!({"deletionTimestamp": deleted}), true), Step::Superseded(_)));
        let metadata = json!({"deletionTimestamp": deleted, "finalizers": ["ours"]});
        assert_eq!(step_for(metadata, false), patch(json!([])));
    }
}
