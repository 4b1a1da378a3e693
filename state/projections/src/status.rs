//! How things stand: the peers, the offloaded namespaces, what is held back, what is not done yet.
//!
//! This is the topic `status` of the projection stream. Entries are keyed, so that a change of one peer is sent as such.

use std::collections::BTreeMap;

use liqo_domain::{Object, Orphan, Pending, State, Waiting};
use liqo_events::{Condition, Facts, ForeignClusterFacts, OffloadingFacts, UnixMillis};
use liqo_model::{Kind, NamespaceName, ObjectKey};
use serde::Serialize;

use crate::view::View;

/// One entry of the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// Key `cluster`: the local cluster and this process.
    Cluster(ClusterStatus),
    /// Key `peer/NAME`: a ForeignCluster.
    Peer(PeerStatus),
    /// Key `offloading/NAMESPACE`: a NamespaceOffloading.
    Offloading(OffloadingStatus),
    /// Key `orphan/MAP/NAMESPACE`: a mapping that nobody asks for any more.
    Orphan(OrphanStatus),
    /// Key `command/ID`: a command that has failed and has not ended.
    Command(CommandStatus),
    /// Key `rejected/OBJECT`: an object that asks for what cannot be.
    Rejected(RejectedStatus),
}

/// The local cluster and this process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// Its ID; empty while it has none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// The epoch of the lease that this process knows of.
    pub epoch: u64,
    /// Whether the lease is its own.
    pub leader: bool,
}

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerStatus {
    /// Its cluster ID; empty while it is not known.
    pub id: String,
    /// Its cluster name.
    pub name: String,
    /// The namespace here that belongs to it; empty while there is none.
    pub tenant_namespace: String,
    /// Whether the ForeignCluster is being deleted.
    pub deleting: bool,
    /// The conditions of its status, as the API server has them.
    pub conditions: Vec<ConditionStatus>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionStatus {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it stands.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Since when: RFC 3339.
    pub since: String,
}

/// An offloaded namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OffloadingStatus {
    /// Its name in the peers; empty until it was chosen.
    pub remote_namespace: String,
    /// `status.offloadingPhase`.
    pub phase: String,
    /// Whether the NamespaceOffloading is being deleted.
    pub deleting: bool,
    /// Its conditions by the name of the peer's NamespaceMap.
    pub peers: BTreeMap<String, Vec<ConditionStatus>>,
}

/// A mapping that nobody asks for any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanStatus {
    /// The NamespaceMap.
    pub map: ObjectKey,
    /// The local namespace.
    pub namespace: NamespaceName,
    /// Since when that is known: RFC 3339.
    pub since: String,
    /// Whether it is kept until an administrator lets go of it.
    pub held: bool,
    /// Whether an administrator did.
    pub released: bool,
}

/// A command that failed and has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandStatus {
    /// The object that it is about.
    pub object: ObjectKey,
    /// Its effect.
    pub effect: &'static str,
    /// Since when it is wanted: RFC 3339.
    pub since: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it waits for a change of the object instead of its next try.
    pub parked: bool,
    /// What went wrong the last time.
    pub error: String,
}

/// An object that asks for what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedStatus {
    /// The object.
    pub object: ObjectKey,
    /// What cannot be, and what to do.
    pub reason: String,
    /// Since when that is known: RFC 3339.
    pub since: String,
}

/// How things stand.
pub fn status(state: &State) -> View<Entry> {
    let mut view = View::from([("cluster".to_owned(), Entry::Cluster(cluster(state)))]);
    for (key, object) in state.local(Kind::ForeignCluster) {
        if let Facts::ForeignCluster(facts) = &object.facts {
            view.insert(format!("peer/{}", key.name), Entry::Peer(peer(object, facts)));
        }
    }
    for (key, object) in state.local(Kind::NamespaceOffloading) {
        if let Facts::Offloading(facts) = &object.facts {
            let entry = Entry::Offloading(offloading(state, key, (object, facts)));
            view.insert(format!("offloading/{}", key.namespace), entry);
        }
    }
    let orphans = state.orphans.iter().map(|((map, namespace), orphan)| {
        (format!("orphan/{}/{namespace}", map.name), Entry::Orphan(self::orphan(map, namespace, orphan)))
    });
    view.extend(orphans);
    let commands = state.outbox.iter().filter_map(|(id, pending)| {
        command(pending).map(|command| (format!("command/{id}"), Entry::Command(command)))
    });
    view.extend(commands);
    view.extend(state.rejected.iter().map(|(object, fact)| {
        let since = fact.at.to_string();
        let rejected = RejectedStatus { object: object.clone(), reason: fact.body.reason.clone(), since };
        (format!("rejected/{object}"), Entry::Rejected(rejected))
    }));
    view
}

/// How many there are of each thing in the state, by the name that people know it by.
pub fn counts(state: &State) -> BTreeMap<&'static str, u64> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let held = state.orphans.iter().filter(|(_, orphan)| orphan.held && orphan.released.is_none()).count();
    let failing = state.outbox.iter().filter(|(_, pending)| pending.failure.is_some()).count();
    BTreeMap::from([
        ("clusters", count(state.clusters.len())),
        ("commands", count(state.outbox.len())),
        ("commands that fail", count(failing)),
        ("foreign clusters", count(state.local(Kind::ForeignCluster).count())),
        ("namespace offloadings", count(state.local(Kind::NamespaceOffloading).count())),
        ("objects", count(state.objects.len())),
        ("orphans held", count(held)),
        ("rejected objects", count(state.rejected.len())),
        ("watches", count(state.cursors.len())),
    ])
}

fn cluster(state: &State) -> ClusterStatus {
    let (id, name) = state.identity.as_ref().map_or_else(Default::default, |identity| {
        (identity.body.id.to_string(), identity.body.name.to_string())
    });
    let version = state.started.as_ref().map(|started| started.body.version.clone()).unwrap_or_default();
    ClusterStatus { id, name, version, epoch: state.lease.epoch, leader: state.lease.held }
}

fn peer(object: &Object, facts: &ForeignClusterFacts) -> PeerStatus {
    PeerStatus {
        id: facts.cluster_id.to_string(),
        name: facts.cluster_name.to_string(),
        tenant_namespace: facts.tenant_local.to_string(),
        deleting: object.deleting,
        conditions: conditions(&facts.conditions),
    }
}

fn conditions(conditions: &[Condition]) -> Vec<ConditionStatus> {
    let moment = |at: UnixMillis| if at == UnixMillis::default() { String::new() } else { at.to_string() };
    let status = |one: &Condition| ConditionStatus {
        kind: one.kind.clone(),
        status: one.status.clone(),
        reason: one.reason.clone(),
        message: one.message.clone(),
        since: moment(one.since),
    };
    conditions.iter().map(status).collect()
}

fn offloading(
    state: &State,
    key: &ObjectKey,
    (object, facts): (&Object, &OffloadingFacts),
) -> OffloadingStatus {
    let chosen = state.remote_names.get(&NamespaceName::new(key.namespace.as_str()));
    let peers = facts.conditions.iter().map(|(map, of_peer)| (map.clone(), conditions(of_peer)));
    OffloadingStatus {
        remote_namespace: chosen.map_or(&facts.remote_name, |chosen| &chosen.body.remote).to_string(),
        phase: facts.phase.clone(),
        deleting: object.deleting,
        peers: peers.collect(),
    }
}

fn orphan(map: &ObjectKey, namespace: &NamespaceName, orphan: &Orphan) -> OrphanStatus {
    OrphanStatus {
        map: map.clone(),
        namespace: namespace.clone(),
        since: orphan.noticed_at.to_string(),
        held: orphan.held,
        released: orphan.released.is_some(),
    }
}

/// Only commands that failed: those under way come and go within milliseconds and would make a stream of nothing else.
fn command(pending: &Pending) -> Option<CommandStatus> {
    let (_, _, error) = pending.failure.as_ref()?;
    Some(CommandStatus {
        object: pending.command.slot.object.clone(),
        effect: pending.command.effect.name(),
        since: pending.issued_at.to_string(),
        attempts: pending.attempts,
        parked: pending.waiting == Waiting::Parked,
        error: error.clone(),
    })
}

#[cfg(test)]
mod tests;
