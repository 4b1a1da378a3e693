//! The virtual node, in two halves: what it is, and what it has.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use liqo_api::annotations::VIRTUAL_KUBELET_SETTINGS;
use liqo_events::{Content, Status, UnixMillis, rfc3339_seconds};
use liqo_model::crd::{Quantity, ResourceOfferSpec};
use liqo_model::{ClusterId, ObjectKey};
use liqo_reflection::difference;
use liqo_reflection::kinds::node::{self, Network, NodeFacts};
use serde_json::{Value, json};

use super::spelled;
use crate::write::step::Step;

/// Where a kubelet listens.
const KUBELET_PORT: u16 = 10250;
/// Stands for an address in the half that shows none.
const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The node without its status.
pub(in crate::write) fn node(key: &ObjectKey, content: &Content, object: Option<&Value>) -> Step {
    let Content::VirtualNode { remote, labels, unschedulable, annotations, settings } = content else {
        return super::misplaced();
    };
    let offer = ResourceOfferSpec { labels: labels.clone(), ..ResourceOfferSpec::default() };
    let none = BTreeMap::new();
    let facts = facts(&key.name, (remote, &none), &offer);
    let mut annotations = annotations.clone();
    if !settings.is_empty() {
        annotations.insert(VIRTUAL_KUBELET_SETTINGS.to_owned(), settings.clone());
    }
    let facts = NodeFacts { is_terminating: *unschedulable, annotations: &annotations, ..facts };
    let wanted = node::node(&facts, object);
    let Some(object) = object else { return Step::Create(wanted) };
    if object["metadata"]["deletionTimestamp"].is_string() {
        return Step::Later(format!("{key} is being deleted"));
    }
    match difference::patch(object, &wanted, node::FIELDS) {
        Some(patch) => Step::Patch(patch),
        None => Step::Nothing,
    }
}

/// The node's status.
pub(in crate::write) fn status(key: &ObjectKey, status: &Status, now: UnixMillis, object: &Value) -> Step {
    let Status::VirtualNode { ready, network, resources, version, address, port } = status else {
        return super::misplaced();
    };
    let Ok(address) = address.parse() else {
        return Step::Park(format!("{key}: {address:?} is no address of a virtual kubelet"));
    };
    let mut offer = ResourceOfferSpec::default();
    let amounts = resources.iter();
    let amounts = amounts.map(|(name, amount)| (name.clone(), Quantity::from(spelled(*amount).as_str())));
    offer.resource_quota.hard = amounts.collect();
    let (none, remote) = (BTreeMap::new(), ClusterId::default());
    let network = match network {
        Some(true) => Network::Up,
        Some(false) => Network::Down,
        None => Network::Unchecked,
    };
    let facts = NodeFacts {
        address,
        network,
        version,
        kubelet_port: *port,
        ..facts(&key.name, (&remote, &none), &offer)
    };
    let now = rfc3339_seconds(now);
    let mut wanted = node::status(&facts, Some(object), &now);
    if !ready {
        unready(&mut wanted, object, &now);
    }
    match node::status_patch(object, &wanted) {
        Some(patch) => Step::PatchStatus(patch),
        None => Step::Nothing,
    }
}

fn facts<'a>(
    name: &'a str,
    (cluster, none): (&'a ClusterId, &'a BTreeMap<String, String>),
    offer: &'a ResourceOfferSpec,
) -> NodeFacts<'a> {
    NodeFacts {
        name,
        cluster,
        labels: none,
        annotations: none,
        offer: Some(offer),
        is_terminating: false,
        network: Network::Unknown,
        address: NO_ADDRESS,
        kubelet_port: KUBELET_PORT,
        version: "",
    }
}

/// The provider's API server does not answer, which neither resources nor network show.
fn unready(status: &mut Value, object: &Value, now: &str) {
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    let Some(ready) = conditions.iter_mut().find(|condition| condition["type"] == "Ready") else { return };
    if ready["status"] == "False" {
        return;
    }
    let known = object["status"]["conditions"].as_array().into_iter().flatten();
    let known = known.into_iter().find(|known| known["type"] == "Ready" && known["status"] == "False");
    let since = known.map_or_else(|| json!(now), |known| known["lastTransitionTime"].clone());
    ready["status"] = json!("False");
    ready["reason"] = json!("KubeletNotReady");
    ready["message"] = json!("The API server of the remote cluster does not answer");
    ready["lastTransitionTime"] = since;
}
