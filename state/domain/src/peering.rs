//! ForeignClusters: which of them can be worked with, and where their tenant lives.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.1 steps 2 and 4. Authentication and negotiation need the network.

use liqo_events::{
    Command, Condition, Effect, Event, Facts, ForeignClusterFacts, Rejected, Seq, Slot, UnixMillis,
};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey, check_dns_label, tenant_namespace_name};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};

const PROCESSABLE: &str = "ProcessForeignClusterStatus";

/// A ForeignCluster as it was last seen.
struct Peer<'a> {
    key: &'a ObjectKey,
    object: &'a Object,
    facts: &'a ForeignClusterFacts,
}

/// What every ForeignCluster needs now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let of_living = peers(state).flat_map(|peer| plan_one(state, &peer));
    of_living.chain(state.withdraw_all(|command| is_for_nobody(state, command))).collect()
}

/// Whether a command makes the tenant namespace of a peer that is gone.
fn is_for_nobody(state: &State, command: &Command) -> bool {
    let Effect::EnsureTenantNamespace { id } = &command.effect else { return false };
    !peers(state).any(|peer| peer.facts.cluster_id == *id)
}

fn peers(state: &State) -> impl Iterator<Item = Peer<'_>> {
    state.local(Kind::ForeignCluster).filter_map(|(key, object)| match &object.facts {
        Facts::ForeignCluster(facts) => Some(Peer { key, object, facts }),
        _ => None,
    })
}

fn plan_one(state: &State, peer: &Peer<'_>) -> Vec<Output> {
    // Without an ID the remote cluster has to be asked for it first; a deleted one needs nothing of this.
    if peer.object.deleting || peer.facts.cluster_id.is_empty() {
        return Vec::new();
    }
    // The verdict needs our own ID, and everybody else's.
    let (Some(identity), Some(_)) = (&state.identity, state.local_list(Kind::ForeignCluster)) else {
        return Vec::new();
    };
    let verdict = verdict(state, peer, &identity.body.id);
    let mut outputs: Vec<Output> = label(state, peer).into_iter().collect();
    let tenant = if verdict.0 == "Success" { tenant(state, peer, &mut outputs) } else { None };
    outputs.extend(status(state, peer, verdict, tenant));
    outputs
}

/// Status, reason and message of the condition that says whether the object can be worked with.
fn verdict(state: &State, peer: &Peer<'_>, own: &ClusterId) -> (&'static str, &'static str, String) {
    if peer.facts.cluster_id == *own {
        return (
            "Error",
            "LocalCluster",
            "spec.clusterIdentity.clusterID is this cluster's own ID".to_owned(),
        );
    }
    if let Some(first) = elder(state, peer) {
        let message =
            format!("ForeignCluster {first} has the same cluster ID and is older; delete one of the two");
        return ("Error", "ClusterIDRepetition", message);
    }
    if !is_url(&peer.facts.proxy_url) {
        let message = "spec.foreignProxyUrl is no URL: write it as http://HOST:PORT".to_owned();
        return ("Error", "InvalidProxyURL", message);
    }
    ("Success", "ForeignClusterProcessable", "the ForeignCluster can be worked with".to_owned())
}

/// The name of an older ForeignCluster with the same ID; the name decides among those of one second.
fn elder<'a>(state: &'a State, peer: &Peer<'_>) -> Option<&'a str> {
    peers(state)
        .filter(|other| other.facts.cluster_id == peer.facts.cluster_id && other.key != peer.key)
        .filter(|other| (other.object.created_at, &other.key.name) < (peer.object.created_at, &peer.key.name))
        .min_by_key(|other| (other.object.created_at, &other.key.name))
        .map(|other| other.key.name.as_str())
}

/// An empty one is allowed: no proxy.
fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    text.is_empty() || host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}

/// The label by which everything else finds the object.
fn label(state: &State, peer: &Peer<'_>) -> Option<Output> {
    let effect =
        Effect::LabelForeignCluster { uid: peer.object.uid.clone(), id: peer.facts.cluster_id.clone() };
    let wish = Wish { slot: slot(peer.key, "label"), effect, because: peer.object.seen };
    state.ensure(wish, peer.facts.labelled_id == peer.facts.cluster_id)
}

/// The tenant namespace when it exists; asks for it when it does not.
fn tenant(state: &State, peer: &Peer<'_>, outputs: &mut Vec<Output>) -> Option<(NamespaceName, UnixMillis)> {
    if let Some((key, object)) = namespace_of(state, &peer.facts.cluster_id) {
        return Some((NamespaceName::new(key.name.as_str()), object.seen_at));
    }
    let list = state.local_list(Kind::Namespace)?;
    let name = tenant_namespace_name(&peer.facts.cluster_name, &peer.facts.cluster_id);
    if let Err(invalid) = check_dns_label("the name of its tenant namespace", name.as_str()) {
        let reason = format!("{invalid}; spec.clusterIdentity.clusterName may have 44 characters");
        outputs.extend(reject(state, peer, reason));
        return None;
    }
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, name.as_str());
    let known = state.objects.get(&key).map_or(Seq(0), |object| object.seen);
    let effect = Effect::EnsureTenantNamespace { id: peer.facts.cluster_id.clone() };
    let because = peer.object.seen.max(list.seq).max(known);
    outputs.extend(state.request(Wish { slot: slot(&key, "tenant"), effect, because }));
    None
}

fn namespace_of<'a>(state: &'a State, id: &ClusterId) -> Option<(&'a ObjectKey, &'a Object)> {
    state.local(Kind::Namespace).find(|(_, object)| match &object.facts {
        Facts::Namespace(facts) => facts.tenant_of == *id && !object.deleting,
        _ => false,
    })
}

fn reject(state: &State, peer: &Peer<'_>, reason: String) -> Option<Output> {
    let known = state.rejected.get(peer.key);
    if known.is_some_and(|known| known.body.reason == reason && known.body.uid == peer.object.uid) {
        return None;
    }
    let object = peer.key.clone();
    Some(Output::Record(Event::Rejected(Rejected { object, uid: peer.object.uid.clone(), reason })))
}

fn status(
    state: &State,
    peer: &Peer<'_>,
    verdict: (&'static str, &'static str, String),
    tenant: Option<(NamespaceName, UnixMillis)>,
) -> Option<Output> {
    let since = tenant.as_ref().map_or(peer.object.seen_at, |(_, at)| peer.object.seen_at.max(*at));
    // A namespace that is not there yet does not take an earlier word back.
    let tenant_local = tenant.map_or_else(|| peer.facts.tenant_local.clone(), |(name, _)| name);
    let (status, reason, message) = verdict;
    let condition = Condition {
        kind: PROCESSABLE.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        since,
    };
    let conditions = with_condition(&peer.facts.conditions, condition);
    let said = conditions == peer.facts.conditions && tenant_local == peer.facts.tenant_local;
    let effect = Effect::WriteForeignClusterStatus { uid: peer.object.uid.clone(), tenant_local, conditions };
    state.ensure(Wish { slot: slot(peer.key, "status"), effect, because: peer.object.seen }, said)
}

/// The list with one condition put in its place. It keeps its time when it says what it said.
pub(crate) fn with_condition(conditions: &[Condition], wanted: Condition) -> Vec<Condition> {
    let mut conditions = conditions.to_vec();
    match conditions.iter_mut().find(|condition| condition.kind == wanted.kind) {
        Some(condition) if says_the_same(condition, &wanted) => {}
        Some(condition) => *condition = wanted,
        None => conditions.push(wanted),
    }
    conditions
}

/// Whether two conditions differ in nothing but their time.
pub(crate) fn says_the_same(one: &Condition, other: &Condition) -> bool {
    (&one.kind, &one.status, &one.reason, &one.message)
        == (&other.kind, &other.status, &other.reason, &other.message)
}

fn slot(key: &ObjectKey, part: &str) -> Slot {
    Slot { object: key.clone(), part: part.to_owned() }
}
