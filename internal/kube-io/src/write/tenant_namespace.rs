//! The tenant namespace of a peer: made with its labels, and never taken from somebody else.

use liqo_api::labels;
use liqo_model::{ClusterId, ObjectKey};
use serde_json::{Value, json};

use super::step::Step;

pub(super) fn step(key: &ObjectKey, id: &ClusterId, object: Option<&Value>) -> Step {
    let labels = json!({labels::CLUSTER_ID: id.as_str(), labels::TENANT_NAMESPACE: labels::TRUE});
    let Some(object) = object else {
        return Step::Create(json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": key.name, "labels": labels},
        }));
    };
    let metadata = &object["metadata"];
    match metadata["labels"][labels::CLUSTER_ID].as_str() {
        Some(known) if known == id.as_str() => {}
        Some(_) => {
            let label = labels::CLUSTER_ID;
            return Step::Park(format!(
                "{key} belongs to another peer, as its label {label} says; rename one of the two peers"
            ));
        }
        None => {
            let label = labels::CLUSTER_ID;
            return Step::Park(format!(
                "{key} exists and is not of Liqo; delete it, or give it the label {label}={id} if the peer may have it"
            ));
        }
    }
    if metadata["deletionTimestamp"].is_string() {
        return Step::Later(format!("{key} is being deleted"));
    }
    Step::Patch(json!({"metadata": {"labels": labels}}))
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;

    use super::*;

    fn step_for(object: Option<Value>) -> Step {
        let key = ObjectKey::local_cluster_scoped(Kind::Namespace, "liqo-tenant-milan");
        step(&key, &"id-1".into(), object.as_ref())
    }

    fn labelled(labels: Value) -> Option<Value> {
        Some(json!({"metadata": {"labels": labels}}))
    }

    fn both_labels() -> Value {
        json!({"discovery.liqo.io/cluster-id": "id-1", "discovery.liqo.io/tenant-namespace": "true"})
    }

    #[test]
    fn a_missing_one_is_made_with_its_labels() {
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "liqo-tenant-milan", "labels": both_labels()},
        });
        assert_eq!(step_for(None), Step::Create(expected));
    }

    #[test]
    fn that_of_the_peer_is_kept_and_mended() {
        let expected = Step::Patch(json!({"metadata": {"labels": both_labels()}}));
        assert_eq!(step_for(labelled(json!({"discovery.liqo.io/cluster-id": "id-1"}))), expected);
    }

    #[test]
    fn that_of_somebody_else_is_never_adopted() {
        for labels in [json!(null), json!({"a": "b"}), json!({"discovery.liqo.io/cluster-id": "id-2"})] {
            let step = step_for(labelled(labels));
            assert!(matches!(step, Step::Park(_)), "{step:?}");
        }
    }

    #[test]
    fn one_that_is_on_its_way_out_is_waited_for() {
        let mut object = labelled(both_labels()).unwrap();
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(matches!(step_for(Some(object)), Step::Later(_)));
    }
}
