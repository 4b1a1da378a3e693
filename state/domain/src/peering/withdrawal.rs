//! The end of a ForeignCluster: it stays until nothing of the peering is left.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.1 step 11, §4.3 and §4.8.

use liqo_model::{Kind, NamespaceName, ObjectKey, unique_name};

use super::view::{Peer, View};
use super::{bindings, kubelet, request};
use crate::machine::Output;
use crate::replication::FINALIZER;
use crate::state::State;

/// Finalizer of a component that this project has no need of: taken off what an earlier version has left.
const CHECKER: &str = "APIServerChecker.liqo.io";
/// Discovery type of peers that made themselves known by asking.
const INCOMING: &str = "IncomingPeering";

/// What has to be known before anything counts as gone.
const DECIDED_ON: [Kind; 9] = [
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::NetworkConfig,
    Kind::NamespaceMap,
    Kind::RoleBinding,
    Kind::Deployment,
    Kind::ServiceAccount,
    Kind::ClusterRoleBinding,
    Kind::Node,
];

/// The finalizer of a ForeignCluster with whose peer there is anything to do.
pub(super) fn hold(view: &View<'_>, peer: &Peer<'_>) -> Option<Output> {
    let known = has(peer, FINALIZER);
    let linked = view.links.contains_key(&peer.facts.cluster_id);
    if linked || known { view.state.finalizer((peer.key, peer.object), FINALIZER, true, known) } else { None }
}

/// Lets a ForeignCluster that is being deleted go when nothing is left.
pub(super) fn release(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    if is_over(view, peer, tenant) { drop_finalizers(view.state, peer) } else { Vec::new() }
}

/// What a peer has sent that is given up: it will not take it away itself.
pub(super) fn clear(view: &View<'_>, peer: &Peer<'_>) -> Vec<Output> {
    if !request::is_given_up(peer) || !view.knows(&DECIDED_ON) {
        return Vec::new();
    }
    let id = &peer.facts.cluster_id;
    // A request without its ForeignCluster would make another one; while that is there, it refuses.
    let requests = view.requests.received(id).iter().filter(|_| peer.object.deleting).map(|sent| sent.key);
    let offers = view.offers.received(id).iter().map(|sent| sent.key);
    let maps = view.maps.received(id).iter().map(|sent| sent.key);
    let networks = view.networks.received(id).iter().map(|sent| sent.key);
    let all = requests.chain(offers).chain(maps).chain(networks);
    all.filter_map(|key| view.state.delete(key, peer.object.seen)).collect()
}

/// Takes our finalizers off.
pub(super) fn drop_finalizers(state: &State, peer: &Peer<'_>) -> Vec<Output> {
    [FINALIZER, CHECKER]
        .into_iter()
        .filter_map(|name| state.finalizer((peer.key, peer.object), name, false, has(peer, name)))
        .collect()
}

/// Whether the object is kept by us.
pub(super) fn is_held(peer: &Peer<'_>) -> bool {
    has(peer, FINALIZER) || has(peer, CHECKER)
}

fn has(peer: &Peer<'_>, finalizer: &str) -> bool {
    peer.facts.finalizers.iter().any(|known| known == finalizer)
}

/// Whether nothing of ours is left at the peer, and nothing here that was made for it.
fn is_over(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> bool {
    let id = &peer.facts.cluster_id;
    view.knows(&DECIDED_ON)
        && view.requests.sent(id).is_empty()
        && view.offers.sent(id).is_empty()
        && view.maps.sent(id).is_empty()
        && view.networks.sent(id).is_empty()
        && view.node(id).is_none()
        && !has_network(view, peer)
        && kubelet::is_gone(view, peer, tenant)
        && bindings::are_gone(view, tenant)
        && (!request::is_given_up(peer) || is_cleared(view, peer))
}

/// Whether nothing is left that the peer has sent.
fn is_cleared(view: &View<'_>, peer: &Peer<'_>) -> bool {
    let id = &peer.facts.cluster_id;
    view.requests.received(id).is_empty()
        && view.maps.received(id).is_empty()
        && view.networks.received(id).is_empty()
        && view.offers.received(id).is_empty()
}

/// Whether anything of the network with the peer is left: its name is known by the ForeignCluster alone.
fn has_network(view: &View<'_>, peer: &Peer<'_>) -> bool {
    let id = &peer.facts.cluster_id;
    let name = format!("natmapping-{}", unique_name(&peer.facts.cluster_name, id));
    let mapping = ObjectKey::local_cluster_scoped(Kind::NatMapping, name);
    view.tunnels.contains_key(id)
        || view.state.subnets.contains_key(id)
        || view.state.objects.contains_key(&mapping)
}

/// Deletes the ForeignCluster of a consumer that wants nothing any more and of which nothing is wanted.
pub(super) fn forget(view: &View<'_>, peer: &Peer<'_>) -> Option<Output> {
    let id = &peer.facts.cluster_id;
    let over = peer.facts.discovery_type == INCOMING
        && !request::is_wanted(peer)
        && view.knows(&DECIDED_ON)
        && view.requests.sent(id).is_empty()
        && is_cleared(view, peer);
    let cause = peer.object.seen.max(view.listed(&DECIDED_ON));
    if over { view.state.delete(peer.key, cause) } else { None }
}
