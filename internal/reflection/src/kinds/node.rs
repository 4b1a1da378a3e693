//! The virtual node: what a provider offers, as a node of the consumer.

mod conditions;

use std::collections::BTreeMap;
use std::net::IpAddr;

use liqo_api::labels::{FALSE, REMOTE_CLUSTER_ID, STORAGE_AVAILABLE, TRUE, TYPE, TYPE_VIRTUAL_NODE};
use liqo_api::names::{VIRTUAL_NODE_TAINT, VIRTUAL_NODE_TAINT_EFFECT, VIRTUAL_NODE_TAINT_VALUE};
use liqo_model::ClusterId;
use liqo_model::crd::ResourceOfferSpec;
use serde_json::{Map, Value, json};

use crate::difference::{Field, Mode};
use crate::metadata::Metadata;
use crate::names::{
    ADMINISTRATORS_NODE_LABELS, ARCHITECTURE, EXCLUDE_BALANCER_ALPHA, EXCLUDE_FROM_LOAD_BALANCERS, HOST_NAME,
    NODE_ROLE, NODE_ROLE_AGENT, OPERATING_SYSTEM,
};
use crate::record::Record;
use crate::{Resource, difference, fields};

/// Architecture of every virtual node; offers name none.
const AMD64: &str = "amd64";
/// Version of Kubernetes when that of the home API server is not known.
const FALLBACK_VERSION: &str = "v1.25.0";

/// Fields of the node that are ours.
pub const FIELDS: &[Field] = &[
    Field { path: "/spec/taints", mode: Mode::Members(&["key", "effect"], &[]) },
    Field::given("/spec/unschedulable"),
];
/// Fields of its status that are ours.
const STATUS_FIELDS: &[Field] = &[
    Field { path: "/status/capacity", mode: Mode::Quantities },
    Field { path: "/status/allocatable", mode: Mode::Quantities },
    Field { path: "/status/conditions", mode: Mode::Members(&["type"], &["lastHeartbeatTime"]) },
    Field::whole("/status/addresses"),
    Field::given("/status/daemonEndpoints"),
    Field::given("/status/nodeInfo"),
    Field::whole("/status/images"),
];
/// Those of a heartbeat, in which a new time is worth a write.
const HEARTBEAT_FIELDS: &[Field] =
    &[Field { path: "/status/conditions", mode: Mode::Members(&["type"], &[]) }];

/// Whether pods of the two clusters reach each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Not known yet.
    #[default]
    Unknown,
    /// The tunnel is connected.
    Up,
    /// It is not.
    Down,
    /// Nobody shall look at it.
    Unchecked,
}

/// What is known of a virtual node.
#[derive(Clone, Copy, Debug)]
pub struct NodeFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// The provider.
    pub cluster: &'a ClusterId,
    /// Labels that the administrator of the consumer adds.
    pub labels: &'a BTreeMap<String, String>,
    /// Annotations that the administrator of the consumer adds.
    pub annotations: &'a BTreeMap<String, String>,
    /// What is offered; nothing when no offer has been seen yet, which changes nothing of a node that exists.
    pub offer: Option<&'a ResourceOfferSpec>,
    /// The offer is withdrawn: the node offers nothing more and gets no more pods.
    pub is_terminating: bool,
    /// Whether pods reach each other.
    pub network: Network,
    /// Address of the virtual kubelet.
    pub address: IpAddr,
    /// Port of the virtual kubelet.
    pub kubelet_port: u16,
    /// Version of the home API server; empty when it is not known.
    pub version: &'a str,
}

/// The node without its status: labels, annotations and our taint. The name is always that of the facts.
#[must_use]
pub fn node(facts: &NodeFacts<'_>, existing: Option<&Value>) -> Value {
    let metadata = Metadata {
        name: facts.name.to_owned(),
        labels: chosen_labels(facts, existing),
        annotations: facts.annotations.clone(),
        own_labels: own_labels(facts, existing),
        ..Metadata::default()
    };
    let mut node = fields::object(Resource::NODE, metadata.into_value());
    let mut spec = json!({"taints": [taint()]});
    if facts.is_terminating {
        spec["unschedulable"] = true.into();
    }
    node.insert("spec".to_owned(), spec);
    node.into()
}

/// The taint that keeps pods away which do not tolerate another cluster.
#[must_use]
pub fn taint() -> Value {
    json!({"key": VIRTUAL_NODE_TAINT, "value": VIRTUAL_NODE_TAINT_VALUE, "effect": VIRTUAL_NODE_TAINT_EFFECT})
}

/// The value of the node's `status`; `now` in RFC 3339. What is not known yet is left out, so that a virtual kubelet
/// that starts does not disturb its node.
#[must_use]
pub fn status(facts: &NodeFacts<'_>, existing: Option<&Value>, now: &str) -> Value {
    let mut status = Map::new();
    status.insert("conditions".to_owned(), conditions::conditions(facts, existing, now).into());
    if let Some(capacity) = capacity(facts) {
        status.insert("capacity".to_owned(), capacity.clone());
        status.insert("allocatable".to_owned(), capacity);
    }
    let images = match facts.offer {
        Some(offer) => offer
            .images
            .iter()
            .map(|image| json!({"names": image.names, "sizeBytes": image.size_bytes}))
            .collect(),
        None => existing.and_then(|node| node.pointer("/status/images")).cloned().unwrap_or_default(),
    };
    if !images.is_null() {
        status.insert("images".to_owned(), images);
    }
    status.insert(
        "addresses".to_owned(),
        json!([{"type": "InternalIP", "address": facts.address.to_string()}]),
    );
    status.insert("daemonEndpoints".to_owned(), json!({"kubeletEndpoint": {"Port": facts.kubelet_port}}));
    let version = if facts.version.is_empty() { FALLBACK_VERSION } else { facts.version };
    status.insert("nodeInfo".to_owned(), node_info(version));
    status.into()
}

/// The merge patch that gives the node this status, to be written through it. Nothing when only heartbeats differ.
#[must_use]
pub fn status_patch(existing: &Value, status: &Value) -> Option<Value> {
    difference::patch(&json!({"status": existing.get("status")}), &json!({"status": status}), STATUS_FIELDS)
}

/// The merge patch that tells the time of the last heartbeat, to be written through the status.
#[must_use]
pub fn heartbeat_patch(existing: &Value, status: &Value) -> Option<Value> {
    difference::patch(
        &json!({"status": existing.get("status")}),
        &json!({"status": status}),
        HEARTBEAT_FIELDS,
    )
}

/// What pods may use: all that is offered, and nothing else that an earlier offer named. Nothing when no offer is
/// known.
fn capacity(facts: &NodeFacts<'_>) -> Option<Value> {
    if facts.is_terminating {
        return Some(json!({}));
    }
    let hard = facts.offer?.resource_quota.hard.iter();
    Some(hard.map(|(key, amount)| (key.clone(), Value::from(amount.as_str()))).collect())
}

/// Every field is required by the API, so those that a virtual node cannot know are empty.
fn node_info(version: &str) -> Value {
    json!({
        "architecture": AMD64, "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
        "kubeletVersion": version, "machineID": "", "operatingSystem": "Linux", "osImage": "", "systemUUID": "",
    })
}

/// Labels that somebody chose: the provider with its offer, and the administrator of the consumer, who wins.
fn chosen_labels(facts: &NodeFacts<'_>, existing: Option<&Value>) -> BTreeMap<String, String> {
    let mut labels = match facts.offer {
        Some(offer) => offer.labels.clone(),
        None => existing.map(recorded_labels).unwrap_or_default(),
    };
    labels.retain(|key, _| !ADMINISTRATORS_NODE_LABELS.iter().any(|prefix| key.starts_with(prefix)));
    labels.extend(facts.labels.clone());
    labels
}

/// The labels that were chosen when the node was last written.
fn recorded_labels(node: &Value) -> BTreeMap<String, String> {
    let recorded = Record::of(node).labels;
    let mut labels = fields::texts(node, "/metadata/labels");
    labels.retain(|key, _| recorded.contains(key));
    labels
}

/// Labels that nobody may choose: what the node is, and which cluster it stands for.
fn own_labels(facts: &NodeFacts<'_>, existing: Option<&Value>) -> BTreeMap<String, String> {
    let cluster = facts.cluster.to_string();
    let fixed = [
        (HOST_NAME, facts.name),
        (NODE_ROLE, NODE_ROLE_AGENT),
        (OPERATING_SYSTEM, "linux"),
        (ARCHITECTURE, AMD64),
        (TYPE, TYPE_VIRTUAL_NODE),
        (REMOTE_CLUSTER_ID, &cluster),
        (EXCLUDE_FROM_LOAD_BALANCERS, TRUE),
        (EXCLUDE_BALANCER_ALPHA, TRUE),
    ];
    let mut labels: BTreeMap<String, String> =
        fixed.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let has_storage = match facts.offer {
        Some(offer) => Some(!offer.storage_classes.is_empty()),
        None => existing.and_then(|node| Some(fields::label(node, STORAGE_AVAILABLE)? == TRUE)),
    };
    let storage = has_storage.map(|has| if has { TRUE } else { FALSE });
    labels.extend(storage.map(|storage| (STORAGE_AVAILABLE.to_owned(), storage.to_owned())));
    labels
}
