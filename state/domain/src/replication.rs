//! Objects that are copied to peers as they are, and the status that comes back.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.4. An origin has our finalizer before its copy is made, and keeps it
//! until the copy is seen to be gone. A copy whose origin nobody has seen go is left alone: it can be that this cluster was
//! restored, and what is lost in the peer with it does not come back.

use liqo_events::{Command, Effect, Facts, PeeringType, Replication, Switch};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey};

use crate::about::Whose;
use crate::machine::Output;
use crate::outbox::{Waiting, Wish};
use crate::peering::Seen;
use crate::state::{Object, State};
use crate::watching::{Link, foreign_cluster, links_of};
use crate::wishes::slot;

/// Keeps an origin until its copy is gone, and a ForeignCluster until nothing is left at its peer.
pub(crate) const FINALIZER: &str = "crdReplicator.liqo.io";
/// Kinds that are copied.
pub(crate) const REPLICATED: [Kind; 4] =
    [Kind::ResourceRequest, Kind::ResourceOffer, Kind::NetworkConfig, Kind::NamespaceMap];
/// The part of a copy that is its spec, and of an origin that is its status.
const SPEC: &str = "spec";
const STATUS: &str = "replicated-status";

/// Where the objects for a peer go.
struct Way<'a> {
    state: &'a State,
    peer: &'a ClusterId,
    home: &'a ClusterId,
    link: &'a Link,
}

type Origin<'a> = Seen<'a, Replication>;

/// What is to be done now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let mut outputs = plan_for(state, Whose::Everybody);
    outputs.extend(state.withdraw_all(|command| is_for_nobody(state, command)));
    outputs
}

/// What is to be done about one peer now.
pub(crate) fn plan_to(state: &State, peer: &ClusterId) -> Vec<Output> {
    let mut outputs = plan_for(state, Whose::Of(peer));
    outputs.extend(state.withdraw_at(peer, &REPLICATED, |command| is_for_nobody(state, command)));
    outputs
}

/// Whether a command copies an object that is gone, or is for a peer that is given up.
fn is_for_nobody(state: &State, command: &Command) -> bool {
    if let ClusterRef::Remote(peer) = &command.slot.object.cluster
        && is_given_up(state, peer)
    {
        return true;
    }
    match &command.effect {
        Effect::Replicate { from, uid, .. } => {
            state.objects.get(from).is_none_or(|origin| origin.uid != *uid)
        }
        _ => false,
    }
}

/// Whether nothing is to be had of a peer any more: it takes its copies along.
fn is_given_up(state: &State, peer: &ClusterId) -> bool {
    foreign_cluster(state, peer).is_some_and(|peer| peer.outgoing == Switch::GivenUp)
}

/// Lets an origin go whatever becomes of its copy.
fn let_go(state: &State, origin: Origin<'_>) -> Option<Output> {
    let ends = origin.object.deleting && origin.facts.finalizer;
    if ends { state.finalizer((origin.key, origin.object), FINALIZER, false, true) } else { None }
}

fn plan_for(state: &State, whose: Whose<'_>) -> Vec<Output> {
    let known = [Kind::ForeignCluster, Kind::Secret].iter().all(|kind| state.local_list(*kind).is_some());
    let Some(identity) = state.identity.as_ref().filter(|_| known) else { return Vec::new() };
    let links = links_of(state, whose);
    let mut outputs = Vec::new();
    // What is left of an earlier life of the cluster is not sent to anybody.
    for kind in REPLICATED.into_iter().filter(|kind| state.local_list(*kind).is_some()) {
        for origin in origins_of(state, whose, kind) {
            let peer = &origin.facts.remote_id;
            if is_given_up(state, peer) {
                outputs.extend(let_go(state, origin));
                continue;
            }
            let Some(link) = links.get(peer) else { continue };
            let way = Way { state, peer, home: &identity.body.id, link };
            outputs.extend(plan_one(&way, origin));
        }
    }
    outputs
}

/// Objects of a kind that are to be copied.
pub(crate) fn origins(state: &State, kind: Kind) -> impl Iterator<Item = Origin<'_>> {
    origins_of(state, Whose::Everybody, kind)
}

fn origins_of<'a>(
    state: &'a State,
    whose: Whose<'_>,
    kind: Kind,
) -> impl Iterator<Item = Origin<'a>> + use<'a> {
    state.local_about(whose, kind).filter_map(|(key, object)| {
        let facts = part(&object.facts)?;
        (facts.origin && !facts.remote_id.is_empty()).then_some(Seen { key, object, facts })
    })
}

/// The part of an object in replication.
fn part(facts: &Facts) -> Option<&Replication> {
    match facts {
        Facts::ResourceRequest(facts) => Some(&facts.replication),
        Facts::ResourceOffer(facts) => Some(&facts.replication),
        Facts::NetworkConfig(facts) => Some(&facts.replication),
        Facts::NamespaceMap(facts) => Some(&facts.replication),
        _ => None,
    }
}

fn plan_one(way: &Way<'_>, origin: Origin<'_>) -> Vec<Output> {
    let key = ObjectKey {
        cluster: ClusterRef::Remote(way.peer.clone()),
        kind: origin.key.kind,
        namespace: way.link.remote_namespace.to_string(),
        name: origin.key.name.clone(),
    };
    let copy = way.state.objects.get(&key);
    if origin.object.deleting { end(way, origin, &key, copy) } else { live(way, origin, &key, copy) }
}

/// Whether an object in the peer is a copy of ours. Anything else of that name is left alone.
fn ours<'a>(way: &Way<'_>, copy: &'a Object) -> Option<&'a Replication> {
    part(&copy.facts).filter(|part| part.replicated && part.origin_id == *way.home)
}

fn live(way: &Way<'_>, origin: Origin<'_>, key: &ObjectKey, copy: Option<&Object>) -> Vec<Output> {
    if !is_allowed(way, origin.key.kind) {
        return Vec::new();
    }
    let kept = origin.facts.finalizer;
    let mut outputs: Vec<Output> =
        way.state.finalizer((origin.key, origin.object), FINALIZER, true, kept).into_iter().collect();
    // Without a complete list of the peer's side, what is there is not known.
    let Some(list) = way.state.list_for(key).filter(|_| kept) else { return outputs };
    let known = copy.map(|copy| ours(way, copy));
    // A copy that goes has to be gone before there can be another.
    if copy.is_some_and(|copy| copy.deleting) || matches!(known, Some(None)) {
        return outputs;
    }
    let known = known.flatten();
    let effect = Effect::Replicate {
        from: origin.key.clone(),
        uid: origin.object.uid.clone(),
        spec: origin.facts.spec,
        home: way.home.clone(),
    };
    let seen = copy.map_or(list.seq, |copy| copy.seen);
    let because = origin.object.seen.max(seen);
    let same = known.is_some_and(|copy| copy.spec == origin.facts.spec);
    outputs.extend(way.state.ensure(Wish { slot: slot(key, SPEC), effect, because }, same));
    outputs.extend(copy.zip(known).and_then(|(copy, known)| answer(way, origin, key, (copy, known))));
    outputs
}

/// The status, which the peer writes.
fn answer(
    way: &Way<'_>,
    origin: Origin<'_>,
    key: &ObjectKey,
    (copy, known): (&Object, &Replication),
) -> Option<Output> {
    let effect =
        Effect::ReplicateStatus { from: key.clone(), uid: origin.object.uid.clone(), status: known.status };
    let wish = Wish { slot: slot(origin.key, STATUS), effect, because: copy.seen.max(origin.object.seen) };
    way.state.ensure(wish, known.status == origin.facts.status)
}

/// Parameters of a network that the peers exchange by other means are not copied.
fn is_allowed(way: &Way<'_>, kind: Kind) -> bool {
    let peer = foreign_cluster(way.state, way.peer);
    peer.is_some_and(|peer| kind != Kind::NetworkConfig || peer.peering_type == PeeringType::OutOfBand)
}

/// Deletes the copy, and lets the origin go when that is gone.
fn end(way: &Way<'_>, origin: Origin<'_>, key: &ObjectKey, copy: Option<&Object>) -> Vec<Output> {
    // Without a complete list of the peer's side nothing is known to be gone, or to be there.
    if !origin.facts.finalizer || way.state.list_for(key).is_none() {
        return Vec::new();
    }
    let making = slot(key, SPEC);
    let mut outputs: Vec<Output> =
        if is_stuck(way, key) { way.state.withdraw(&making) } else { None }.into_iter().collect();
    match copy {
        Some(copy) if ours(way, copy).is_some() => outputs.extend(way.state.delete(key, origin.object.seen)),
        // What is not ours, or is not there, holds up nothing; but what is being made has to be seen first.
        _ if !way.state.is_unsettled(&making) => {
            outputs.extend(way.state.finalizer((origin.key, origin.object), FINALIZER, false, true));
            outputs.extend(copy.is_none().then(|| way.state.delete(key, origin.object.seen)).flatten());
        }
        _ => {}
    }
    outputs
}

/// Whether the making of a copy failed and waits.
fn is_stuck(way: &Way<'_>, key: &ObjectKey) -> bool {
    let id = way.state.derived.slots.get(&slot(key, SPEC));
    let pending = id.and_then(|id| way.state.outbox.get(id));
    pending.is_some_and(|pending| pending.waiting != Waiting::Ready)
}
