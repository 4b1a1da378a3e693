//! The rights of a peer in its tenant namespace.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §3.10. Rights stay for as long as copies of the peer's objects are here:
//! who may not look any more cannot see that they are gone, nor take them away.

use liqo_events::Content;
use liqo_model::{Kind, NamespaceName, ObjectKey};

use super::view::{Peer, View};
use crate::machine::Output;

const BASIC: &str = "liqo-remote-peering-basic";
const OUTGOING: &str = "liqo-remote-peering-outgoing";
const INCOMING: &str = "liqo-remote-peering-incoming";

/// What the rights of a peer need now.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    if !view.knows(&DECIDED_ON) {
        return Vec::new();
    }
    let id = &peer.facts.cluster_id;
    let outgoing = !view.requests.sent(id).is_empty();
    // A request that comes while the ForeignCluster goes is for the next one.
    let incoming = !view.requests.received(id).is_empty() && !peer.object.deleting;
    // Who is given up and comes back would put again what was cleared away; but it may ask.
    let welcome = !super::request::is_given_up(peer);
    let network = !view.networks.received(id).is_empty();
    let outgoing_left = network || !view.offers.received(id).is_empty();
    let incoming_left = network || !view.maps.received(id).is_empty();
    let rights = [
        (BASIC, true, !peer.object.deleting),
        (OUTGOING, welcome && (outgoing || outgoing_left), welcome && outgoing),
        (INCOMING, welcome && (incoming || incoming_left), welcome && incoming),
    ];
    rights
        .into_iter()
        .filter_map(|(role, keep, make)| {
            let key = key(tenant, role);
            if make {
                let content = Content::PeerBinding {
                    user: id.clone(),
                    role: role.to_owned(),
                    managed_by: String::new(),
                };
                return view.state.put_missing(&key, content, peer.object.seen);
            }
            if keep { None } else { view.state.delete(&key, peer.object.seen.max(view.listed(&DECIDED_ON))) }
        })
        .collect()
}

/// What rights are decided on.
const DECIDED_ON: [Kind; 5] =
    [Kind::RoleBinding, Kind::ResourceRequest, Kind::ResourceOffer, Kind::NamespaceMap, Kind::NetworkConfig];

/// Whether the peer has no rights any more but to ask.
pub(super) fn are_gone(view: &View<'_>, tenant: &NamespaceName) -> bool {
    [OUTGOING, INCOMING].iter().all(|role| view.state.is_gone(&key(tenant, role)))
}

fn key(tenant: &NamespaceName, role: &str) -> ObjectKey {
    ObjectKey::local(Kind::RoleBinding, tenant.as_str(), format!("liqo-binding-{role}"))
}
