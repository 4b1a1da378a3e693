//! What this cluster asks of a provider, and takes back.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.3. A request that was never answered by an offer is deleted at once
//! when it is not wanted any more: to wait for the withdrawal of what never was would be for ever.

use liqo_events::{Content, OwnedBy, ResourceRequestFacts, Switch, UnixMillis};
use liqo_model::{Kind, NamespaceName, ObjectKey};

use super::home;
use super::view::{Peer, Seen, View};
use crate::machine::Output;

/// Discovery type of peers that are found in the local network.
const LAN: &str = "LAN";

/// Whether resources of the peer are wanted.
pub(super) fn is_wanted(peer: &Peer<'_>) -> bool {
    let asked = match peer.facts.outgoing {
        Switch::Yes => true,
        Switch::No | Switch::GivenUp => false,
        Switch::Auto => peer.facts.discovery_type == LAN,
    };
    asked && !peer.object.deleting
}

/// Whether the peer is given up: it will never answer, and what is left here goes without it.
pub(crate) fn is_given_up(peer: &Peer<'_>) -> bool {
    peer.facts.outgoing == Switch::GivenUp
}

/// Whether the provider has made an offer, as far as it says.
pub(super) fn is_answered(request: &ResourceRequestFacts) -> bool {
    request.offer_state == "Created"
}

/// What the request needs now.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    if !view.knows(&[Kind::ResourceRequest, Kind::ResourceOffer]) {
        return Vec::new();
    }
    if is_wanted(peer) {
        ask(view, peer, tenant).into_iter().collect()
    } else {
        take_back(view, peer, tenant)
    }
}

/// The request as it should be. It waits for the identity, without which nothing can be sent.
fn ask(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Option<Output> {
    let key = key(view, tenant);
    let sent = view.requests.sent(&peer.facts.cluster_id).iter().find(|request| *request.key == key);
    if sent.is_some_and(|sent| sent.object.deleting) || !view.links.contains_key(&peer.facts.cluster_id) {
        return None;
    }
    let auth_url = url(view, sent).ok()?;
    let fulfilled = sent.is_some_and(|sent| {
        let facts = sent.facts;
        !facts.withdrawn
            && facts.auth_url == auth_url
            && (&facts.cluster_id, &facts.cluster_name) == (&view.home.id, &view.home.name)
    });
    let because = peer.object.seen.max(view.listed(&[Kind::ResourceRequest]));
    view.state.put(&key, content(view, peer, auth_url, None), because, fulfilled)
}

/// Why no request can be made, when that is so.
pub(super) fn obstacle(view: &View<'_>, peer: &Peer<'_>) -> Option<String> {
    let sent = view.requests.sent(&peer.facts.cluster_id);
    if !is_wanted(peer) || !sent.is_empty() { None } else { url(view, None).err() }
}

/// Our URL. One that was told stays when there is no better one.
fn url(view: &View<'_>, sent: Option<&Seen<'_, ResourceRequestFacts>>) -> Result<String, String> {
    let told = sent.map_or("", |sent| sent.facts.auth_url.as_str());
    home::auth_url(view.state, told)
        .or_else(|lacks| if told.is_empty() { Err(lacks) } else { Ok(told.to_owned()) })
}

/// Asks the provider to take its offer back, and deletes the request when it has.
fn take_back(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    let id = &peer.facts.cluster_id;
    let sent = view.requests.sent(id);
    if sent.is_empty() {
        return view.state.delete(&key(view, tenant), peer.object.seen).into_iter().collect();
    }
    let offered = !view.offers.received(id).is_empty();
    sent.iter()
        .filter_map(|request| {
            let facts = request.facts;
            let over = facts.offer_withdrawn || !(is_answered(facts) || offered);
            if over && is_out_of_sight(view, peer) || is_given_up(peer) {
                // The provider's word, or ours that nothing was ever wanted or is awaited any more, is the cause.
                return view.state.delete(request.key, peer.object.seen.max(request.object.seen));
            }
            let content = content(view, peer, facts.auth_url.clone(), Some(peer.object.seen_at));
            let settled = facts.withdrawn || request.object.deleting;
            view.state.put(request.key, content, peer.object.seen, settled)
        })
        .collect()
}

/// Whether there is nothing to be seen in the peer any more but the request. With that ends the right to look: whoever
/// starts after it, and has not seen that a copy is gone, would never see it.
fn is_out_of_sight(view: &View<'_>, peer: &Peer<'_>) -> bool {
    let id = &peer.facts.cluster_id;
    let used =
        view.requests.received(id).iter().any(|other| !other.facts.withdrawn && !other.object.deleting);
    view.maps.sent(id).is_empty() && (used || view.networks.sent(id).is_empty())
}

fn key(view: &View<'_>, tenant: &NamespaceName) -> ObjectKey {
    ObjectKey::local(Kind::ResourceRequest, tenant.as_str(), view.home.name.as_str())
}

fn content(view: &View<'_>, peer: &Peer<'_>, auth_url: String, withdrawn_at: Option<UnixMillis>) -> Content {
    Content::ResourceRequest {
        remote: peer.facts.cluster_id.clone(),
        id: view.home.id.clone(),
        name: view.home.name.clone(),
        auth_url,
        withdrawn_at,
        owner: owner(peer),
    }
}

/// The ForeignCluster as the owner of what is made for its peer.
pub(super) fn owner(peer: &Peer<'_>) -> OwnedBy {
    OwnedBy { name: peer.key.name.clone(), uid: peer.object.uid.clone() }
}
