//! The virtual node.

use std::collections::BTreeMap;

use liqo_model::ClusterId;
use liqo_model::crd::ResourceOfferSpec;
use liqo_reflection::difference;
use liqo_reflection::kinds::node::{FIELDS, Network, NodeFacts, heartbeat_patch, node, status, status_patch};
use serde_json::{Value, json};

use crate::tree::{common, merge, with, without_news};
use crate::world::{MILAN, recorded};

const NOW: &str = "2026-11-22T14:52:26Z";

/// What facts borrow.
struct Given {
    cluster: ClusterId,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    offer: Option<ResourceOfferSpec>,
}

impl Given {
    fn new(offer: Option<Value>) -> Self {
        let offer = offer.map(|offer| serde_json::from_value(offer).unwrap());
        Self { cluster: MILAN.into(), labels: BTreeMap::new(), annotations: BTreeMap::new(), offer }
    }

    fn facts(&self) -> NodeFacts<'_> {
        NodeFacts {
            name: "liqo-milan",
            cluster: &self.cluster,
            labels: &self.labels,
            annotations: &self.annotations,
            offer: self.offer.as_ref(),
            is_terminating: false,
            network: Network::Up,
            address: "10.200.0.176".parse().unwrap(),
            kubelet_port: 10_250,
            version: "v1.34.4",
        }
    }
}

fn offer() -> Value {
    recorded("node.yaml")["offer"].clone()
}

/// Type, status and reason of each condition.
fn conditions(status: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let conditions = status["conditions"].as_array().unwrap().iter();
    conditions.map(|of| (text(&of["type"]), text(&of["status"]), text(&of["reason"]))).collect()
}

#[test]
fn the_node_is_that_of_version_0_8_3() {
    let recorded = recorded("node.yaml")["node"].clone();
    let given = Given::new(Some(offer()));
    let forged = node(&given.facts(), Some(&recorded));
    let plain = without_news(forged.clone());
    assert_eq!(plain, common(&recorded, &plain));
    // Kubernetes adds two labels of its own, and everything else is ours.
    assert_eq!(
        plain["metadata"]["labels"].as_object().unwrap().len() + 2,
        recorded["metadata"]["labels"].as_object().unwrap().len()
    );
    let record = json!({"liqo.io/reflected-keys": "{\"annotations\":[],\"labels\":[\"region\"]}"});
    assert_eq!(
        difference::patch(&recorded, &forged, FIELDS),
        Some(json!({"metadata": {"annotations": record}}))
    );
    let status = status(&given.facts(), Some(&recorded), NOW);
    // The offer spells 45404000000 what the API server of rome spells 45404M.
    assert_eq!(status_patch(&recorded, &status), None);
    assert_eq!(heartbeat_patch(&recorded, &status), None);
    let same_amounts = json!({"capacity": recorded["status"]["capacity"], "allocatable": recorded["status"]["allocatable"], "images": null});
    assert_eq!(with(status, &same_amounts), recorded["status"]);
}

#[test]
fn conditions_say_what_is_known() {
    let ready = ("Ready", "True", "KubeletReady");
    let unready = ("Ready", "False", "KubeletNotReady");
    let unknown = |kind| (kind, "Unknown", "");
    let full = [
        ("MemoryPressure", "False", "RemoteClusterHasSufficientMemory"),
        ("DiskPressure", "False", "RemoteClusterHasNoDiskPressure"),
        ("PIDPressure", "False", "RemoteClusterHasNoPIDPressure"),
    ];
    let empty = [
        ("MemoryPressure", "True", "RemoteClusterHasMemoryPressure"),
        ("DiskPressure", "True", "RemoteClusterHasDiskPressure"),
        ("PIDPressure", "True", "RemoteClusterHasPIDPressure"),
    ];
    let pressures = ["MemoryPressure", "DiskPressure", "PIDPressure"].map(unknown);
    let up = ("NetworkUnavailable", "False", "LiqoNetworkingUp");
    let down = ("NetworkUnavailable", "True", "LiqoNetworkingDown");
    let no_network = unknown("NetworkUnavailable");
    let none = with(offer(), &json!({"resourceQuota": {"hard": {"cpu": "0"}}}));
    for (offer, network, first, middle, last) in [
        (Some(offer()), Network::Up, ready, full, Some(up)),
        (Some(offer()), Network::Down, unready, full, Some(down)),
        (Some(offer()), Network::Unchecked, ready, full, None),
        (Some(offer()), Network::Unknown, unknown("Ready"), full, Some(no_network)),
        (Some(none.clone()), Network::Up, unready, empty, Some(up)),
        (Some(none), Network::Unknown, unready, empty, Some(no_network)),
        (None, Network::Up, unknown("Ready"), pressures, Some(up)),
        (None, Network::Down, unready, pressures, Some(down)),
        (None, Network::Unknown, unknown("Ready"), pressures, Some(no_network)),
    ] {
        let given = Given::new(offer);
        let status = status(&NodeFacts { network, ..given.facts() }, None, NOW);
        let expected = std::iter::once(first).chain(middle).chain(last);
        let expected: Vec<_> = expected
            .map(|(kind, status, reason)| (kind.to_owned(), status.to_owned(), reason.to_owned()))
            .collect();
        assert_eq!(conditions(&status), expected, "{network:?}");
    }
}

#[test]
fn times_of_transition_change_with_the_status_alone() {
    let given = Given::new(Some(offer()));
    let mut existing = json!({"status": status(&given.facts(), None, "t1")});
    let times = |status: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let conditions = status["conditions"].as_array().unwrap().iter();
        conditions
            .map(|of| (text(&of["lastHeartbeatTime"]), text(&of["lastTransitionTime"])))
            .collect::<Vec<_>>()
    };
    let down = NodeFacts { network: Network::Down, ..given.facts() };
    let next = status(&down, Some(&existing), "t2");
    let (kept, moved) = (("t2".to_owned(), "t1".to_owned()), ("t2".to_owned(), "t2".to_owned()));
    assert_eq!(times(&next), [moved.clone(), kept.clone(), kept.clone(), kept, moved]);
    let patch = status_patch(&existing, &next).unwrap();
    merge(&mut existing, &patch);
    assert_eq!(existing["status"]["conditions"], next["conditions"]);
    let beat = status(&down, Some(&existing), "t3");
    assert_eq!(status_patch(&existing, &beat), None);
    let patch = heartbeat_patch(&existing, &beat).unwrap();
    merge(&mut existing, &patch);
    assert_eq!(existing["status"]["conditions"], beat["conditions"]);
}

#[test]
fn what_is_offered_no_more_vanishes_from_the_node() {
    let given = Given::new(Some(offer()));
    let mut existing = node(&given.facts(), None);
    existing["status"] = status(&given.facts(), None, NOW);
    let mut smaller = offer();
    smaller["resourceQuota"]["hard"] = json!({"cpu": "3.6", "memory": "1Gi"});
    smaller["labels"] = json!({"zone": "z"});
    smaller["storageClasses"] = json!([]);
    let given = Given::new(Some(smaller));
    let forged = node(&given.facts(), Some(&existing));
    let patch = difference::patch(&existing, &forged, FIELDS).unwrap();
    assert_eq!(
        patch["metadata"]["labels"],
        json!({"region": null, "zone": "z", "storage.liqo.io/available": "false"})
    );
    let next = status(&given.facts(), Some(&existing), NOW);
    let gone = json!({"memory": "1Gi", "ephemeral-storage": null, "hugepages-1Gi": null, "hugepages-2Mi": null, "pods": null});
    assert_eq!(
        status_patch(&existing, &next),
        Some(json!({"status": {"capacity": gone, "allocatable": gone}}))
    );
}

#[test]
fn a_virtual_kubelet_that_knows_nothing_yet_disturbs_nothing() {
    let given = Given::new(Some(with(offer(), &json!({"images": [{"names": ["i"], "sizeBytes": 1}]}))));
    let mut existing = node(&given.facts(), None);
    existing["status"] = status(&given.facts(), None, NOW);
    let ignorant = Given::new(None);
    let facts = NodeFacts { network: Network::Unknown, ..ignorant.facts() };
    assert_eq!(difference::patch(&existing, &node(&facts, Some(&existing)), FIELDS), None);
    assert_eq!(status_patch(&existing, &status(&facts, Some(&existing), "later")), None);
}

#[test]
fn a_withdrawn_offer_empties_the_node_and_keeps_pods_off() {
    let given = Given::new(Some(offer()));
    let mut existing = node(&given.facts(), None);
    existing["status"] = status(&given.facts(), None, NOW);
    let facts = NodeFacts { is_terminating: true, ..given.facts() };
    let forged = node(&facts, Some(&existing));
    assert_eq!(difference::patch(&existing, &forged, FIELDS), Some(json!({"spec": {"unschedulable": true}})));
    let next = status(&facts, Some(&existing), NOW);
    assert_eq!((&next["capacity"], &next["allocatable"]), (&json!({}), &json!({})));
    let statuses: Vec<_> = conditions(&next).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(statuses, ["False", "True", "False", "False", "False"]);
    let patch = status_patch(&existing, &next).unwrap();
    merge(&mut existing, &patch);
    assert_eq!(existing["status"]["capacity"], json!({}));
}

#[test]
fn taints_labels_and_conditions_of_others_stay() {
    let given = Given::new(Some(offer()));
    let mut existing = node(&given.facts(), None);
    existing["status"] = status(&given.facts(), None, NOW);
    let others = json!({
        "metadata": {"labels": {"theirs": "x"}, "annotations": {"note": "y"}},
        "spec": {"podCIDR": "10.0.0.0/24", "unschedulable": true, "taints": [{"key": "other", "effect": "NoSchedule"}]},
    });
    merge(&mut existing, &others);
    existing["status"]["conditions"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "Theirs", "status": "True"}));
    existing["status"]["volumesInUse"] = json!(["v"]);
    let forged = node(&given.facts(), Some(&existing));
    let patch = difference::patch(&existing, &forged, FIELDS).unwrap();
    let taints = json!([
        {"key": "other", "effect": "NoSchedule"},
        {"key": "virtual-node.liqo.io/not-allowed", "value": "true", "effect": "NoExecute"},
    ]);
    assert_eq!(patch, json!({"spec": {"taints": taints}}));
    let down = NodeFacts { network: Network::Down, ..given.facts() };
    let patch = status_patch(&existing, &status(&down, Some(&existing), NOW)).unwrap();
    merge(&mut existing, &patch);
    let kinds: Vec<_> = conditions(&existing["status"]).into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(
        kinds,
        ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "Theirs"]
    );
}

#[test]
fn a_provider_cannot_choose_what_its_node_is() {
    let labels = json!({"labels": {
        "liqo.io/remote-cluster-id": "another", "kubernetes.io/hostname": "rome-worker", "liqo.io/type": "node",
        "node-role.kubernetes.io/control-plane": "", "node-restriction.kubernetes.io/secure": "true", "region": "milan",
    }});
    let mut given = Given::new(Some(with(offer(), &labels)));
    given.labels.insert("region".to_owned(), "administrators".to_owned());
    given.annotations.insert("note".to_owned(), "x".to_owned());
    let forged = node(&given.facts(), None);
    let expected = json!({
        "alpha.service-controller.kubernetes.io/exclude-balancer": "true", "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "liqo-milan", "kubernetes.io/os": "linux", "kubernetes.io/role": "agent",
        "liqo.io/remote-cluster-id": MILAN, "liqo.io/type": "virtual-node",
        "node.kubernetes.io/exclude-from-external-load-balancers": "true", "region": "administrators",
        "storage.liqo.io/available": "true",
    });
    assert_eq!(forged["metadata"]["labels"], expected);
    assert_eq!(forged["metadata"]["annotations"]["note"], "x");
}

#[test]
fn a_network_that_nobody_looks_at_any_more_keeps_no_pod_away() {
    let given = Given::new(Some(offer()));
    let down = status(&NodeFacts { network: Network::Down, ..given.facts() }, None, NOW);
    let unchecked = NodeFacts { network: Network::Unchecked, version: "", ..given.facts() };
    let next = status(&unchecked, Some(&json!({"status": down})), NOW);
    let (kind, value, _) = conditions(&next).pop().unwrap();
    assert_eq!((kind.as_str(), value.as_str()), ("NetworkUnavailable", "False"));
    assert_eq!(next["nodeInfo"]["kubeletVersion"], "v1.25.0");
}
