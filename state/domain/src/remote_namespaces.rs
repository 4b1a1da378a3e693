//! Namespaces that extend those of consumers.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.2. A namespace that is not ours is never taken over and never deleted,
//! whatever a map says; ours is what carries the name of the map in an annotation.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Content, CurrentMapping, Facts, NamespaceFacts, NamespaceMapFacts, Status};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey, check_dns_label};

use crate::machine::Output;
use crate::peering::{Seen, seen};
use crate::state::State;
use crate::wishes::object_slot;

/// Keeps a map until the namespaces that it asked for are gone.
const FINALIZER: &str = "namespacemap-controller.liqo.io/finalizer";
/// What a consumer may do in a namespace that extends one of its own.
const ROLE: &str = "liqo-virtual-kubelet-remote";
const ACCEPTED: &str = "Accepted";
const FAILED: &str = "CreationLoopBackOff";
const TERMINATING: &str = "Terminating";

type Namespace<'a> = Seen<'a, NamespaceFacts>;
type Mappings = BTreeMap<NamespaceName, CurrentMapping>;

/// A map that a consumer has sent.
struct Map<'a> {
    state: &'a State,
    seen: Seen<'a, NamespaceMapFacts>,
    consumer: &'a ClusterId,
    /// Namespace and name, as the annotation has them.
    name: String,
    /// Namespaces that carry it.
    owned: Vec<Namespace<'a>>,
}

/// What is to be done now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let known = [Kind::Namespace, Kind::NamespaceMap, Kind::RoleBinding];
    if !known.iter().all(|kind| state.local_list(*kind).is_some()) {
        return Vec::new();
    }
    maps(state).iter().flat_map(plan_one).collect()
}

/// Maps of consumers, each in the tenant namespace of its consumer: elsewhere the label is a mere claim.
fn maps(state: &State) -> Vec<Map<'_>> {
    let mut tenants: BTreeMap<&str, &ClusterId> = BTreeMap::new();
    let mut owned: BTreeMap<&str, Vec<Namespace<'_>>> = BTreeMap::new();
    let namespaces = seen(state, Kind::Namespace, |facts| match facts {
        Facts::Namespace(facts) => Some(facts),
        _ => None,
    });
    for namespace in namespaces {
        if !namespace.facts.tenant_of.is_empty() {
            tenants.insert(&namespace.key.name, &namespace.facts.tenant_of);
        }
        if !namespace.facts.managed_by.is_empty() {
            owned.entry(&namespace.facts.managed_by).or_default().push(namespace);
        }
    }
    let maps = seen(state, Kind::NamespaceMap, |facts| match facts {
        Facts::NamespaceMap(facts) if facts.replication.replicated => Some(facts),
        _ => None,
    });
    maps.filter_map(|seen| {
        let consumer = *tenants.get(seen.key.namespace.as_str())?;
        let name = format!("{}/{}", seen.key.namespace, seen.key.name);
        let owned = owned.get(name.as_str()).cloned().unwrap_or_default();
        (seen.facts.replication.origin_id == *consumer).then_some(Map { state, seen, consumer, name, owned })
    })
    .collect()
}

fn plan_one(map: &Map<'_>) -> Vec<Output> {
    let facts = map.seen.facts;
    let none = BTreeMap::new();
    let desired = if map.seen.object.deleting { &none } else { &facts.desired };
    let kept = facts.finalizer;
    let mut outputs: Vec<Output> =
        map.state.finalizer((map.seen.key, map.seen.object), FINALIZER, true, kept).into_iter().collect();
    if !kept {
        return outputs;
    }
    let mut current = Mappings::new();
    for (local, remote) in desired {
        let (phase, made) = extend(map, local, remote);
        outputs.extend(made);
        let phase = phase.map(|phase| CurrentMapping { remote: remote.clone(), phase: phase.to_owned() });
        current.extend(phase.map(|mapping| (local.clone(), mapping)));
    }
    let wanted: BTreeSet<&str> = desired.values().map(NamespaceName::as_str).collect();
    outputs.extend(clear(map, &wanted, &mut current));
    outputs.extend(status(map, current.clone()));
    if map.seen.object.deleting && current.is_empty() && is_cleared(map) {
        outputs.extend(map.state.finalizer((map.seen.key, map.seen.object), FINALIZER, false, kept));
    }
    outputs
}

fn key(name: &NamespaceName) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Namespace, name.as_str())
}

/// The phase of one namespace, nothing while it is being made; and what makes it.
fn extend<'a>(
    map: &Map<'_>,
    local: &NamespaceName,
    remote: &NamespaceName,
) -> (Option<&'a str>, Vec<Output>) {
    let state = map.state;
    let key = key(remote);
    if check_dns_label("the name of the remote namespace", remote.as_str()).is_err() {
        return (Some(FAILED), Vec::new());
    }
    let content = Content::RemoteNamespace {
        origin: map.consumer.clone(),
        map: map.name.clone(),
        original: local.clone(),
    };
    // Also when it is there: it may be that a moment ago it was not wanted.
    let namespace = state.put_missing(&key, content, map.seen.object.seen);
    let Some(known) = state.objects.get(&key) else {
        return (has_failed(state, &key).then_some(FAILED), namespace.into_iter().collect());
    };
    let ours = matches!(&known.facts, Facts::Namespace(facts) if facts.managed_by == map.name);
    if !ours {
        return (Some(FAILED), state.withdraw(&object_slot(&key)).into_iter().collect());
    }
    if known.deleting {
        return (Some(TERMINATING), Vec::new());
    }
    let binding = ObjectKey::local(Kind::RoleBinding, remote.as_str(), &map.seen.key.namespace);
    let content = Content::PeerBinding {
        user: map.consumer.clone(),
        role: ROLE.to_owned(),
        managed_by: map.name.clone(),
    };
    let bound = state.objects.contains_key(&binding);
    let made = state.put_missing(&binding, content, map.seen.object.seen.max(known.seen));
    // A namespace that was accepted stays so: its pods run on while the right is given back.
    let accepted = bound
        || map
            .seen
            .facts
            .current
            .get(local.as_str())
            .is_some_and(|current| current.phase == ACCEPTED && current.remote == *remote);
    let failed = has_failed(state, &binding).then_some(FAILED);
    (if accepted { Some(ACCEPTED) } else { failed }, namespace.into_iter().chain(made).collect())
}

/// Whether the last attempt to make an object failed.
fn has_failed(state: &State, key: &ObjectKey) -> bool {
    let id = state.derived.slots.get(&object_slot(key));
    id.and_then(|id| state.outbox.get(id)).is_some_and(|pending| pending.failure.is_some())
}

/// Deletes the namespaces of the map that it does not ask for any more; their entries stay until they are gone.
fn clear(map: &Map<'_>, wanted: &BTreeSet<&str>, current: &mut Mappings) -> Vec<Output> {
    let cause = map.seen.object.seen;
    let unwanted = |name: &str| !wanted.contains(name);
    let mut outputs: Vec<Output> = map
        .owned
        .iter()
        .filter(|namespace| unwanted(&namespace.key.name))
        .filter_map(|namespace| map.state.delete(namespace.key, cause))
        .collect();
    for (local, mapping) in &map.seen.facts.current {
        if !unwanted(mapping.remote.as_str()) {
            continue;
        }
        let local = NamespaceName::new(local.as_str());
        let owned = map.owned.iter().any(|namespace| namespace.key.name == mapping.remote.as_str());
        if owned {
            let terminating =
                CurrentMapping { remote: mapping.remote.clone(), phase: TERMINATING.to_owned() };
            current.entry(local).or_insert(terminating);
        } else if !map.state.objects.contains_key(&key(&mapping.remote)) {
            outputs.extend(map.state.withdraw(&object_slot(&key(&mapping.remote))));
        }
    }
    outputs
}

/// Whether nothing of the map is left, and nothing on its way.
fn is_cleared(map: &Map<'_>) -> bool {
    let asked = map.seen.facts.desired.values();
    map.owned.is_empty() && asked.into_iter().all(|remote| !is_being_made(map, remote))
}

fn is_being_made(map: &Map<'_>, remote: &NamespaceName) -> bool {
    let key = key(remote);
    !map.state.objects.contains_key(&key) && map.state.is_unsettled(&object_slot(&key))
}

fn status(map: &Map<'_>, current: Mappings) -> Option<Output> {
    let known = &map.seen.facts.current;
    let same = |(local, mapping): (&NamespaceName, &CurrentMapping)| {
        known
            .get(local.as_str())
            .is_some_and(|known| known.remote == mapping.remote && known.phase == mapping.phase)
    };
    let fulfilled = known.len() == current.len() && current.iter().all(same);
    map.state.put_status(map.seen.key, Status::NamespaceMap(current), map.seen.object.seen, fulfilled)
}
