//! The ConfigMap with the identity of the local cluster: made once, and never taken from another identity.

use liqo_api::{labels, names};
use liqo_model::{ClusterId, ClusterName, ObjectKey};
use serde_json::{Value, json};

use super::step::Step;

pub(super) fn step(key: &ObjectKey, id: &ClusterId, name: &ClusterName, object: Option<&Value>) -> Step {
    let data = json!({names::CLUSTER_ID_KEY: id.as_str(), names::CLUSTER_NAME_KEY: name.as_str()});
    let labels = json!({labels::APP_NAME: labels::APP_NAME_CLUSTER_ID});
    let Some(object) = object else {
        return Step::Create(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": key.name, "namespace": key.namespace, "labels": labels},
            "data": data,
        }));
    };
    // The chart makes it without an ID, and its label may have been lost; both are mended. Another ID is another
    // identity, and whoever wrote it is right.
    let known = object["data"][names::CLUSTER_ID_KEY].as_str().unwrap_or_default();
    if !known.is_empty() && known != id.as_str() {
        return Step::Superseded(format!("{key} has another identity: {}", names::CLUSTER_ID_KEY));
    }
    let known_name = object["data"][names::CLUSTER_NAME_KEY].as_str().filter(|name| !name.is_empty());
    let name = known_name.unwrap_or(name.as_str());
    let data = json!({names::CLUSTER_ID_KEY: id.as_str(), names::CLUSTER_NAME_KEY: name});
    Step::Patch(json!({"metadata": {"labels": labels}, "data": data}))
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;

    use super::*;

    fn step_for(object: Option<Value>) -> Step {
        let key = ObjectKey::local(Kind::ConfigMap, "liqo", "liqo-clusterid-configmap");
        step(&key, &"id-1".into(), &"rome".into(), object.as_ref())
    }

    #[test]
    fn a_missing_one_is_made_whole() {
        let expected = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "liqo-clusterid-configmap",
                "namespace": "liqo",
                "labels": {"app.kubernetes.io/name": "clusterid-configmap"},
            },
            "data": {"CLUSTER_ID": "id-1", "CLUSTER_NAME": "rome"},
        });
        assert_eq!(step_for(None), Step::Create(expected));
    }

    #[test]
    fn one_without_an_id_gets_it_and_keeps_its_name() {
        let labels = json!({"app.kubernetes.io/name": "clusterid-configmap"});
        for (data, name) in [(json!({}), "rome"), (json!({"CLUSTER_NAME": "roma", "CLUSTER_ID": ""}), "roma")]
        {
            let expected = json!({
                "metadata": {"labels": labels},
                "data": {"CLUSTER_ID": "id-1", "CLUSTER_NAME": name},
            });
            assert_eq!(step_for(Some(json!({"data": data}))), Step::Patch(expected));
        }
    }

    #[test]
    fn another_identity_is_left_alone() {
        let step = step_for(Some(json!({"data": {"CLUSTER_ID": "id-2"}})));
        assert!(matches!(step, Step::Superseded(_)), "{step:?}");
    }
}
