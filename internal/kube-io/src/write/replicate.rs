//! Copies of our objects in a peer's cluster: their specs go there, and their statuses come back.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.4.

use liqo_api::labels;
use liqo_model::{ClusterId, Kind, ObjectKey};
use serde_json::{Map, Value, json};

use super::merge;
use super::step::Step;
use crate::project::spelt_as;

/// The copy has the spec of its origin. Labels and annotations are those of its first day.
pub(super) fn step(key: &ObjectKey, home: &ClusterId, origin: &Value, copy: Option<&Value>) -> Step {
    if origin["metadata"]["deletionTimestamp"].is_string() {
        return Step::Superseded(format!("the origin of {key} is being deleted"));
    }
    let Some(copy) = copy else { return Step::Create(made(key, home, origin)) };
    let marks = &copy["metadata"]["labels"];
    if marks[labels::REPLICATION_ORIGIN].as_str() != Some(home.as_str())
        || marks[labels::REPLICATED] != labels::TRUE
    {
        return Step::Park(format!(
            "{key} exists and is no copy of an object of this cluster; delete it there"
        ));
    }
    if copy["metadata"]["deletionTimestamp"].is_string() {
        return Step::Later(format!("{key} is being deleted"));
    }
    let wanted = origin["spec"].clone();
    let wanted = if key.kind == Kind::ResourceOffer { spelt_as(&copy["spec"], wanted) } else { wanted };
    match merge::replacing(&copy["spec"], &wanted) {
        Some(spec) => Step::Patch(json!({"spec": spec})),
        None => Step::Nothing,
    }
}

fn made(key: &ObjectKey, home: &ClusterId, origin: &Value) -> Value {
    let of = |name: &str| origin["metadata"][name].as_object().cloned().unwrap_or_default();
    let mut marks: Map<String, Value> = of("labels");
    marks.remove(labels::OWNERSHIP);
    marks.insert(labels::REPLICATION.to_owned(), json!(labels::FALSE));
    marks.insert(labels::REPLICATED.to_owned(), json!(labels::TRUE));
    marks.insert(labels::REPLICATION_ORIGIN.to_owned(), json!(home.as_str()));
    let mut metadata = json!({"name": key.name, "namespace": key.namespace, "labels": marks});
    let annotations = of("annotations");
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    let spec = if origin["spec"].is_null() { json!({}) } else { origin["spec"].clone() };
    json!({
        "apiVersion": key.kind.api_version(),
        "kind": key.kind.as_str(),
        "metadata": metadata,
        "spec": spec,
    })
}

/// The origin has the status of its copy.
pub(super) fn status(copy: &Value, origin: &Value) -> Step {
    let nothing = json!({});
    let wanted = if copy["status"].is_null() { &nothing } else { &copy["status"] };
    let known = if origin["status"].is_null() { &nothing } else { &origin["status"] };
    match merge::replacing(known, wanted) {
        Some(status) => Step::PatchStatus(json!({"status": status})),
        None => Step::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::ClusterRef;

    use super::*;

    fn key(kind: Kind) -> ObjectKey {
        let cluster = ClusterRef::Remote("milan-id".into());
        ObjectKey { cluster, kind, namespace: "liqo-tenant-rome".to_owned(), name: "rome".to_owned() }
    }

    fn origin() -> Value {
        json!({
            "metadata": {
                "name": "rome", "namespace": "liqo-tenant-milan", "uid": "o", "finalizers": ["crdReplicator.liqo.io"],
                "labels": {
                    "liqo.io/replication": "true", "liqo.io/remoteID": "milan-id",
                    "liqo.io/ownership": "netcfgCreator", "app": "a",
                },
                "annotations": {"a": "b"},
            },
            "spec": {"authUrl": "https://a", "clusterIdentity": {"clusterID": "rome-id"}},
            "status": {"offerState": "Created"},
        })
    }

    fn step_for(kind: Kind, copy: Option<&Value>) -> Step {
        step(&key(kind), &"rome-id".into(), &origin(), copy)
    }

    #[test]
    fn a_copy_is_made_with_its_labels_and_its_spec_alone() {
        let expected = json!({
            "apiVersion": "discovery.liqo.io/v1alpha1",
            "kind": "ResourceRequest",
            "metadata": {
                "name": "rome", "namespace": "liqo-tenant-rome",
                "labels": {
                    "liqo.io/replication": "false", "liqo.io/replicated": "true",
                    "liqo.io/remoteID": "milan-id", "liqo.io/originID": "rome-id", "app": "a",
                },
                "annotations": {"a": "b"},
            },
            "spec": {"authUrl": "https://a", "clusterIdentity": {"clusterID": "rome-id"}},
        });
        assert_eq!(step_for(Kind::ResourceRequest, None), Step::Create(expected));
    }

    fn copy(spec: Value) -> Value {
        let labels = json!({"liqo.io/replicated": "true", "liqo.io/originID": "rome-id"});
        json!({"metadata": {"labels": labels}, "spec": spec})
    }

    #[test]
    fn a_spec_is_replaced_whole() {
        let same = copy(origin()["spec"].clone());
        assert_eq!(step_for(Kind::ResourceRequest, Some(&same)), Step::Nothing);
        let other = copy(
            json!({"authUrl": "https://b", "withdrawalTimestamp": "x", "clusterIdentity": {"clusterID": "rome-id"}}),
        );
        let expected = json!({"spec": {"authUrl": "https://a", "withdrawalTimestamp": null}});
        assert_eq!(step_for(Kind::ResourceRequest, Some(&other)), Step::Patch(expected));
    }

    #[test]
    fn the_spelling_of_an_amount_is_no_difference() {
        let offer = |memory: &str| json!({"resourceQuota": {"hard": {"memory": memory}}});
        let mut origin = origin();
        origin["spec"] = offer("45404000000");
        let step =
            |memory| step(&key(Kind::ResourceOffer), &"rome-id".into(), &origin, Some(&copy(offer(memory))));
        assert_eq!(step("45404M"), Step::Nothing);
        assert_eq!(step("1M"), Step::Patch(json!({"spec": offer("45404000000")})));
    }

    #[test]
    fn what_is_no_copy_of_ours_is_left_alone() {
        let foreign =
            json!({"metadata": {"labels": {"liqo.io/originID": "other", "liqo.io/replicated": "true"}}});
        assert!(matches!(step_for(Kind::ResourceRequest, Some(&foreign)), Step::Park(_)));
        let mut leaving = copy(json!({}));
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(matches!(step_for(Kind::ResourceRequest, Some(&leaving)), Step::Later(_)));
        let mut origin = origin();
        origin["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let step = step(&key(Kind::ResourceRequest), &"rome-id".into(), &origin, None);
        assert!(matches!(step, Step::Superseded(_)), "{step:?}");
    }

    #[test]
    fn a_status_comes_back_whole() {
        let copy = json!({"status": {"processed": true, "podCIDRNAT": "a"}});
        let expected = json!({"status": {"processed": true, "podCIDRNAT": "a", "externalCIDRNAT": null}});
        let known = json!({"status": {"processed": false, "externalCIDRNAT": "b"}});
        assert_eq!(status(&copy, &known), Step::PatchStatus(expected));
        assert_eq!(status(&copy, &copy), Step::Nothing);
        assert_eq!(status(&json!({}), &json!({"status": {}})), Step::Nothing);
        assert_eq!(
            status(&json!({}), &json!({"status": {"a": 1}})),
            Step::PatchStatus(json!({"status": {"a": null}}))
        );
    }
}
