//! The status of a NamespaceOffloading.

use std::collections::BTreeMap;

use liqo_events::Condition;
use liqo_model::NamespaceName;
use serde_json::{Map, Value, json};

use super::status_conditions;
use super::step::Step;

/// The status but its conditions.
pub(super) struct Head<'a> {
    pub(super) remote_name: &'a NamespaceName,
    pub(super) phase: &'a str,
    pub(super) observed_generation: i64,
}

pub(super) fn step(head: &Head<'_>, conditions: &BTreeMap<String, Vec<Condition>>, object: &Value) -> Step {
    let known = &object["status"]["remoteNamespacesConditions"];
    let mut by_map: Map<String, Value> = conditions
        .iter()
        .map(|(map, conditions)| (map.clone(), status_conditions::list(conditions, &known[map])))
        .collect();
    // A merge leaves what it does not name, so clusters that are no longer meant have to be named.
    for known in known.as_object().into_iter().flat_map(Map::keys) {
        by_map.entry(known.clone()).or_insert(Value::Null);
    }
    Step::PatchStatus(json!({"status": {
        "remoteNamespaceName": head.remote_name.as_str(),
        "offloadingPhase": head.phase,
        "observedGeneration": head.observed_generation,
        "remoteNamespacesConditions": by_map,
    }}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_that_are_no_longer_meant_are_taken_away() {
        let ready = Condition { kind: "Ready".to_owned(), status: "True".to_owned(), ..Condition::default() };
        let conditions = BTreeMap::from([("milan".to_owned(), vec![ready])]);
        let object = json!({"status": {"remoteNamespacesConditions": {"milan": [], "paris": []}}});
        let head = Head { remote_name: &"shop-rome".into(), phase: "Ready", observed_generation: 3 };
        let expected = json!({"status": {
            "remoteNamespaceName": "shop-rome",
            "offloadingPhase": "Ready",
            "observedGeneration": 3,
            "remoteNamespacesConditions": {"milan": [{"type": "Ready", "status": "True"}], "paris": null},
        }});
        assert_eq!(step(&head, &conditions, &object), Step::PatchStatus(expected));
    }
}
