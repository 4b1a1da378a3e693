//! What this cluster answers to consumers: a ForeignCluster for who is new, an offer, and the end of it.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.5 and §5.2. An offer that was withdrawn goes before there is
//! another; a withdrawn request without an offer is answered too, so that its consumer does not wait for ever.

use std::collections::BTreeSet;

use liqo_events::{
    Content, ControlPlaneSettings, Effect, Facts, OwnedBy, ResourceOfferFacts, ResourceRequestFacts, Seq,
    Status, Switch,
};
use liqo_model::{ClusterId, ClusterName, Kind, ObjectKey, unique_name};

use super::view::{Peer, Seen, View};
use super::{request, share};
use crate::machine::Output;
use crate::quota::Amounts;
use crate::state::State;
use crate::wishes::object_slot;

/// What an offer is decided on.
const DECIDED_ON: [Kind; 6] = [
    Kind::Namespace,
    Kind::ForeignCluster,
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::Node,
    Kind::Pod,
];

type Request<'a> = Seen<'a, ResourceRequestFacts>;
type Offer<'a> = Seen<'a, ResourceOfferFacts>;

/// What all requests of consumers need now.
pub(super) fn plan(view: &View<'_>) -> Vec<Output> {
    if !view.knows(&DECIDED_ON) {
        return Vec::new();
    }
    let answers = view.requests.all_received().flat_map(|request| answer(view, request));
    answers.chain(unasked(view)).collect()
}

/// Whether an offer says something that is far from what could be offered now. It is asked after each pod.
pub(super) fn is_outdated(state: &State) -> bool {
    let offers = state.local(Kind::ResourceOffer).filter_map(|(key, object)| match &object.facts {
        Facts::ResourceOffer(facts) if facts.replication.origin => Some(Seen { key, object, facts }),
        _ => None,
    });
    offers.filter(|offer| !offer.facts.withdrawn && !offer.object.deleting).any(|offer| !stays(state, offer))
}

/// Whether an offer need not change, also in view of what is just being told.
fn stays(state: &State, offer: Offer<'_>) -> bool {
    let consumer = &offer.facts.replication.remote_id;
    share::is_near(state, (consumer, offer.object.seen), told(state, offer))
}

/// Who is to be offered something.
pub(super) fn consumers(view: &View<'_>) -> BTreeSet<ClusterId> {
    let Some(settings) = view.state.control_plane() else { return BTreeSet::new() };
    let granted = view.requests.all_received().filter(|request| is_granted(view, *request, settings));
    granted.map(|request| request.facts.replication.origin_id.clone()).collect()
}

/// What the consumer knows of an offer, or will in a moment.
fn told<'a>(state: &'a State, offer: Offer<'a>) -> &'a Amounts {
    match state.pending_effect(&object_slot(offer.key)) {
        Some(Effect::Put { content: Content::Offer { hard, .. } | Content::ResourceOffer { hard, .. } }) => {
            hard
        }
        _ => &offer.facts.hard,
    }
}

fn answer(view: &View<'_>, request: Request<'_>) -> Vec<Output> {
    let mut outputs: Vec<Output> = meet(view, request).into_iter().collect();
    outputs.extend(belong(view, request));
    outputs.extend(offer(view, request));
    outputs.extend(tell(view, request));
    outputs
}

/// A ForeignCluster for a consumer that is not known yet. When the name is taken, the unique one is used.
fn meet(view: &View<'_>, request: Request<'_>) -> Option<Output> {
    let facts = request.facts;
    let ends = request.object.deleting || facts.withdrawn;
    let known = view.peers.contains_key(&facts.cluster_id);
    let names = [facts.cluster_name.to_string(), unique_name(&facts.cluster_name, &facts.cluster_id)];
    let mut keys = names.map(|name| ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name)).into_iter();
    if known || ends || facts.cluster_id != facts.replication.origin_id {
        return keys.find_map(|key| {
            let made = matches!(view.state.pending_effect(&object_slot(&key)), Some(Effect::Put { .. }));
            if made && !known { view.state.withdraw(&object_slot(&key)) } else { None }
        });
    }
    let key = keys.find(|key| !view.state.objects.contains_key(key))?;
    let content = Content::ForeignCluster {
        id: facts.cluster_id.clone(),
        name: ClusterName::new(key.name.as_str()),
        auth_url: facts.auth_url.clone(),
    };
    view.state.put_missing(&key, content, request.object.seen)
}

/// The ForeignCluster is the owner of the request.
fn belong(view: &View<'_>, request: Request<'_>) -> Option<Output> {
    let peer = view.peers.get(&request.facts.replication.origin_id)?;
    super::belong(view.state, request, &request.facts.replication, peer)
}

/// The offer as it should be: there, withdrawn or gone. There is none before it is known what it says.
fn offer(view: &View<'_>, request: Request<'_>) -> Option<Output> {
    let settings = view.state.control_plane()?;
    let consumer = &request.facts.replication.origin_id;
    let offers = view.offers.sent(consumer);
    let key = ObjectKey::local(Kind::ResourceOffer, &request.key.namespace, view.home.name.as_str());
    match (is_granted(view, request, settings), offers.first()) {
        (true, None) => {
            let hard = share::offered(view.state, consumer)?;
            view.state.put_missing(&key, content(view, request, hard, settings), request.object.seen)
        }
        (true, Some(offer)) if !offer.facts.withdrawn && !offer.object.deleting => {
            let hard = amounts(view.state, *offer);
            let fulfilled = offer.facts.hard == hard && offer.facts.labels == settings.labels;
            let content = content(view, request, hard, settings);
            view.state.put(offer.key, content, request.object.seen, fulfilled)
        }
        (_, Some(offer)) => withdraw(view, *offer, request.object.seen),
        (false, None) => view.state.delete(&key, request.object.seen),
    }
}

/// Whether the consumer may have what it asks for.
fn is_granted(view: &View<'_>, request: Request<'_>, settings: &ControlPlaneSettings) -> bool {
    let allows = |peer: &Peer<'_>| match peer.facts.incoming {
        _ if request::is_given_up(peer) => false,
        Switch::Yes => true,
        Switch::No | Switch::GivenUp => false,
        Switch::Auto => settings.incoming,
    };
    let peer = view.peers.get(&request.facts.replication.origin_id);
    let welcome = peer.is_some_and(|peer| !peer.object.deleting && allows(peer));
    welcome && !request.object.deleting && !request.facts.withdrawn
}

/// What is offered. It stays as it is while the difference is small, and while nobody says what else.
fn amounts(state: &State, offer: Offer<'_>) -> Amounts {
    let now =
        if stays(state, offer) { None } else { share::offered(state, &offer.facts.replication.remote_id) };
    now.unwrap_or_else(|| told(state, offer).clone())
}

fn content(view: &View<'_>, request: Request<'_>, hard: Amounts, settings: &ControlPlaneSettings) -> Content {
    let consumer = &request.facts.replication.origin_id;
    Content::Offer {
        remote: consumer.clone(),
        id: view.home.id.clone(),
        hard,
        labels: settings.labels.clone(),
        others: share::others(view, consumer),
        owner: OwnedBy { name: request.key.name.clone(), uid: request.object.uid.clone() },
    }
}

/// Asks the consumer to move its pods away, and deletes the offer when nothing uses it.
fn withdraw(view: &View<'_>, offer: Offer<'_>, because: Seq) -> Option<Output> {
    if !matches!(offer.facts.virtual_kubelet.as_str(), "Created" | "Deleting") {
        return view.state.delete(offer.key, because.max(offer.object.seen));
    }
    let owner = view.requests.received(&offer.facts.replication.remote_id).first();
    let owner =
        owner.map(|request| OwnedBy { name: request.key.name.clone(), uid: request.object.uid.clone() });
    let content = Content::ResourceOffer {
        remote: offer.facts.replication.remote_id.clone(),
        id: view.home.id.clone(),
        hard: offer.facts.hard.clone(),
        labels: offer.facts.labels.clone(),
        withdrawn_at: Some(offer.object.seen_at),
        owner: owner?,
    };
    let settled = offer.facts.withdrawn || offer.object.deleting;
    view.state.put(offer.key, content, because, settled)
}

/// Offers whose request is gone: nobody wants them any more.
fn unasked(view: &View<'_>) -> Vec<Output> {
    let listed = view.listed(&[Kind::ResourceRequest]);
    let unasked = view.offers.all_sent().filter(|offer| {
        let consumer = &offer.facts.replication.remote_id;
        // Without its tenant namespace a consumer's request could not be told from a forged one.
        view.tenants.contains_key(consumer) && view.requests.received(consumer).is_empty()
    });
    unasked.filter_map(|offer| view.state.delete(offer.key, listed.max(offer.object.seen))).collect()
}

/// Whether nothing that was sent to a consumer is to be seen any more, or will be for as long as it is used itself.
fn is_out_of_sight(view: &View<'_>, consumer: &ClusterId) -> bool {
    let used = view.requests.sent(consumer).iter().any(|own| !own.facts.withdrawn && !own.object.deleting);
    used || view.networks.sent(consumer).is_empty()
}

/// What the consumer is told: whether there is an offer, and that there is none any more.
fn tell(view: &View<'_>, request: Request<'_>) -> Option<Output> {
    let settings = view.state.control_plane()?;
    let offer = view.offers.sent(&request.facts.replication.origin_id).first();
    let granted = is_granted(view, request, settings);
    let key = ObjectKey::local(Kind::ResourceOffer, &request.key.namespace, view.home.name.as_str());
    // Who is not known yet is not refused.
    let met = view.peers.contains_key(&request.facts.replication.origin_id);
    let over = !granted && (met || request.facts.withdrawn) && view.state.is_gone(&key);
    // With its request the consumer takes away the right to look after what was sent to it.
    let over = over && is_out_of_sight(view, &request.facts.replication.origin_id);
    let facts = request.facts;
    let (state, withdrawn) = match offer {
        _ if request.object.deleting => return None,
        Some(_) => ("Created", false),
        None if over => ("None", true),
        // On its way: the offer itself says so in a moment.
        None => return None,
    };
    let status = Status::ResourceRequest {
        offer_state: state.to_owned(),
        offer_withdrawn_at: withdrawn.then_some(request.object.seen_at),
    };
    let fulfilled = facts.offer_state == state && facts.offer_withdrawn == withdrawn;
    let because = offer.map_or(request.object.seen, |offer| offer.object.seen.max(request.object.seen));
    view.state.put_status(request.key, status, because, fulfilled)
}
