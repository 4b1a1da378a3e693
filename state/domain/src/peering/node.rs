//! The virtual node of a provider, and the map of namespaces that it stands on.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §6.5.

use liqo_events::{Content, NodeFacts, OwnedBy};
use liqo_model::{Kind, NamespaceName, ObjectKey, unique_name};

use super::kubelet;
use super::view::{Peer, Seen, View};
use crate::machine::Output;

/// Keeps a virtual node until the provider has nothing of ours any more.
const FINALIZER: &str = "virtualnode-controller.liqo.io/finalizer";

/// What the virtual node of a provider needs now.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    if !view.knows(&[Kind::Node, Kind::NamespaceMap]) {
        return Vec::new();
    }
    let nodes = view.nodes.get(&peer.facts.cluster_id).map_or(&[][..], Vec::as_slice);
    let live_ones = nodes.iter().filter(|node| !node.object.deleting);
    live_ones.flat_map(|node| live(view, peer, *node, tenant)).collect()
}

/// Virtual nodes that are being deleted, also those of peers that nobody knows or can work with any more.
pub(super) fn plan_ends(view: &View<'_>) -> Vec<Output> {
    if !view.knows(&[Kind::Node, Kind::NamespaceMap]) {
        return Vec::new();
    }
    let ending = view.nodes.values().flatten().filter(|node| node.object.deleting);
    ending.flat_map(|node| end(view, *node)).collect()
}

fn live(view: &View<'_>, peer: &Peer<'_>, node: Seen<'_, NodeFacts>, tenant: &NamespaceName) -> Vec<Output> {
    if kubelet::is_abandoned(view, peer, tenant) {
        let cause = view.listed(&[Kind::ResourceOffer, Kind::Deployment]).max(node.object.seen);
        return view.state.delete(node.key, cause).into_iter().collect();
    }
    let kept = node.facts.finalizer;
    let mut outputs: Vec<Output> =
        view.state.finalizer((node.key, node.object), FINALIZER, true, kept).into_iter().collect();
    if kept && view.maps.sent(&peer.facts.cluster_id).is_empty() {
        let name = unique_name(&peer.facts.cluster_name, &peer.facts.cluster_id);
        let key = ObjectKey::local(Kind::NamespaceMap, tenant.as_str(), name);
        let owner = OwnedBy { name: node.key.name.clone(), uid: node.object.uid.clone() };
        let content = Content::NamespaceMap { remote: peer.facts.cluster_id.clone(), owner };
        outputs.extend(view.state.put_missing(&key, content, node.object.seen));
    }
    outputs
}

/// The maps go first, and with them what the provider has of ours.
fn end(view: &View<'_>, node: Seen<'_, NodeFacts>) -> Vec<Output> {
    let maps = view.maps.sent(&node.facts.remote_cluster);
    if maps.is_empty() {
        let off = view.state.finalizer((node.key, node.object), FINALIZER, false, node.facts.finalizer);
        return off.into_iter().collect();
    }
    maps.iter().filter_map(|map| view.state.delete(map.key, node.object.seen)).collect()
}
