//! Offloaded namespaces: which peers get them, and what their NamespaceOffloading says.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.1. An invalid selector changes nothing here, where 0.8.3 would take
//! every mapping away; a virtual node without a map holds up no other peer.

use std::collections::BTreeMap;

use liqo_events::{
    Command, Condition, Effect, Event, Facts, Labels, MappingStrategy, NamespaceMapFacts, OffloadingFacts,
    PodStrategy, Rejected, RemoteNamespaceChosen, Seq, Slot, UnixMillis,
};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey, remote_namespace_name};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::peering::{says_the_same, with_condition};
use crate::selector::{Invalid, selects};
use crate::state::{Object, State};

/// The only name that a NamespaceOffloading may have.
pub const OFFLOADING_NAME: &str = "offloading";
/// Keeps a NamespaceOffloading until its mappings are gone.
pub const OFFLOADING_FINALIZER: &str = "namespaceoffloading-controller.liqo.io/finalizer";

/// The part of a namespace that is the label.
const SCHEDULING: &str = "scheduling";

/// The kinds that an offloading is decided on.
pub(crate) const DECIDED_ON: [Kind; 4] =
    [Kind::Namespace, Kind::Node, Kind::NamespaceOffloading, Kind::NamespaceMap];

/// Whether all of them were listed in the present life of the cluster. Before that, what is left of an earlier life would
/// be held against what was restored.
pub(crate) fn is_decidable(state: &State) -> bool {
    DECIDED_ON.iter().all(|kind| state.local_list(*kind).is_some())
}

/// A NamespaceOffloading with everything that its plan needs.
struct Offloading<'a> {
    key: ObjectKey,
    namespace: NamespaceName,
    object: &'a Object,
    facts: &'a OffloadingFacts,
    maps: Vec<Map<'a>>,
}

/// A map towards one peer, as far as this namespace goes.
struct Map<'a> {
    key: &'a ObjectKey,
    object: &'a Object,
    facts: &'a NamespaceMapFacts,
    /// The virtual node of the peer, with its name.
    node: Option<(&'a str, &'a Object)>,
}

/// What the offloading of every namespace needs now.
pub(crate) fn plan_all(state: &State) -> Vec<Output> {
    let namespaces: Vec<NamespaceName> = state
        .local(Kind::NamespaceOffloading)
        .filter(|(key, _)| key.name == OFFLOADING_NAME)
        .map(|(key, _)| NamespaceName::new(key.namespace.as_str()))
        .collect();
    let of_living = namespaces.iter().flat_map(|namespace| plan(state, namespace));
    of_living.chain(state.withdraw_all(|command| is_for_nobody(state, command))).collect()
}

/// Whether a command sets something up for an offloading that is gone: nobody would ever take it down again.
fn is_for_nobody(state: &State, command: &Command) -> bool {
    let namespace = match &command.effect {
        Effect::SetScheduling { enabled: true, .. } => &command.slot.object.name,
        Effect::MapNamespace { remote: Some(_), namespace, .. } => namespace.as_str(),
        _ => return false,
    };
    !state.objects.contains_key(&ObjectKey::local(Kind::NamespaceOffloading, namespace, OFFLOADING_NAME))
}

/// What the offloading of one namespace needs now.
pub(crate) fn plan(state: &State, namespace: &NamespaceName) -> Vec<Output> {
    if !is_decidable(state) {
        return Vec::new();
    }
    let Some(offloading) = find(state, namespace) else {
        return state.withdraw_all(|command| is_for_nobody(state, command));
    };
    if offloading.object.deleting { plan_end(state, &offloading) } else { plan_life(state, &offloading) }
}

fn find<'a>(state: &'a State, namespace: &NamespaceName) -> Option<Offloading<'a>> {
    let key = ObjectKey::local(Kind::NamespaceOffloading, namespace.as_str(), OFFLOADING_NAME);
    let object = state.objects.get(&key)?;
    let Facts::Offloading(facts) = &object.facts else { return None };
    Some(Offloading { key, namespace: namespace.clone(), object, facts, maps: maps(state) })
}

fn maps(state: &State) -> Vec<Map<'_>> {
    let mut nodes: BTreeMap<&ClusterId, (&str, &Object)> = BTreeMap::new();
    for (key, object) in state.local(Kind::Node) {
        if let Facts::Node(facts) = &object.facts
            && facts.is_virtual
        {
            nodes.insert(&facts.remote_cluster, (key.name.as_str(), object));
        }
    }
    state
        .local(Kind::NamespaceMap)
        .filter_map(|(key, object)| match &object.facts {
            Facts::NamespaceMap(facts) if facts.origin => {
                Some(Map { key, object, facts, node: nodes.get(&facts.remote_cluster).copied() })
            }
            _ => None,
        })
        .collect()
}

/// Sets the namespace up, and follows changes of the object, of nodes and of maps.
fn plan_life(state: &State, offloading: &Offloading<'_>) -> Vec<Output> {
    if !offloading.facts.finalizer {
        return finalizer(state, offloading, true).into_iter().collect();
    }
    let Some(remote) = remote_name(state, offloading) else { return choose_remote_name(state, offloading) };
    let selected = match select(offloading) {
        Ok(selected) => selected,
        Err(Invalid(reason)) => return reject(state, offloading, reason),
    };
    let mut outputs = Vec::new();
    let mut required = BTreeMap::new();
    for (map, wanted) in offloading.maps.iter().zip(selected) {
        let desired = map.facts.desired.get(&offloading.namespace);
        // Without its node a peer is coming or going; what it has stays as it is.
        let wanted = wanted.unwrap_or(desired.is_some());
        required.insert(map.key.name.as_str(), wanted);
        if wanted || desired.is_none() || is_certain(state, offloading, map) {
            outputs.extend(mapping(state, offloading, map, wanted.then_some(&remote)));
        } else {
            outputs.extend(look_again(state, offloading, map));
        }
    }
    outputs.extend(scheduling(state, offloading, offloading.facts.pods != PodStrategy::Local, true));
    outputs.extend(status(state, offloading, &remote, &required));
    outputs
}

/// Whether the selector and the labels that it is judged by are of one moment. Each kind has its own watch, and one may
/// be ahead of the other: whoever lets the selector allow two regions and then moves the node from one to the other
/// takes nothing away at any time, but who sees the node first would. So each is listed after the other was seen. Versions
/// cannot tell: those of different kinds need not have an order.
fn is_certain(state: &State, offloading: &Offloading<'_>, map: &Map<'_>) -> bool {
    map.node.is_none_or(|(_, node)| {
        state.is_listed_after(Kind::NamespaceOffloading, node.seen)
            && state.is_listed_after(Kind::Node, offloading.object.seen)
    })
}

/// Asks for the lists that are missing for that.
fn look_again(state: &State, offloading: &Offloading<'_>, map: &Map<'_>) -> Vec<Output> {
    let Some((_, node)) = map.node else { return Vec::new() };
    let because = offloading.object.seen.max(node.seen);
    let stale = [(Kind::NamespaceOffloading, node.seen), (Kind::Node, offloading.object.seen)];
    let stale = stale.into_iter().filter(|(kind, seen)| !state.is_listed_after(*kind, *seen));
    stale.filter_map(|(kind, _)| state.look_at(kind, because)).collect()
}

/// Takes everything back, and lets the object go when nothing is left.
fn plan_end(state: &State, offloading: &Offloading<'_>) -> Vec<Output> {
    if !offloading.facts.finalizer {
        return Vec::new();
    }
    let mut outputs: Vec<Output> =
        scheduling(state, offloading, false, is_told(state, offloading)).into_iter().collect();
    for map in &offloading.maps {
        outputs.extend(mapping(state, offloading, map, None));
    }
    if offloading.maps.iter().any(|map| map.mentions(&offloading.namespace)) {
        let remote = remote_name(state, offloading).unwrap_or_default();
        outputs.extend(status(state, offloading, &remote, &BTreeMap::new()));
    } else {
        outputs.extend(state.withdraw(&slot(&offloading.key, "status")));
        // Without the object nobody would know what is still to be taken back.
        let open = is_scheduled(state, offloading) || is_unsettled(state, offloading);
        if !open && is_told(state, offloading) {
            outputs.extend(finalizer(state, offloading, false));
        }
    }
    outputs
}

/// Whether the namespace stays and still has the label.
fn is_scheduled(state: &State, offloading: &Offloading<'_>) -> bool {
    state.objects.get(&namespace_key(offloading)).is_some_and(|namespace| match &namespace.facts {
        Facts::Namespace(facts) => facts.scheduling_enabled && !namespace.deleting,
        _ => false,
    })
}

/// Whether the namespace was looked at since the end began: what somebody did to its label before that may not have been
/// seen yet, and nobody looks after it later.
fn is_told(state: &State, offloading: &Offloading<'_>) -> bool {
    let key = namespace_key(offloading);
    let since = offloading.object.seen;
    let nothing_to_see = |namespace: &Object| {
        namespace.deleting || namespace.seen > since || !matches!(namespace.facts, Facts::Namespace(_))
    };
    state.objects.get(&key).is_none_or(nothing_to_see) || state.is_answered(&slot(&key, SCHEDULING), since)
}

/// Whether something was done to the namespace or a map, or is being done, that has not been seen.
fn is_unsettled(state: &State, offloading: &Offloading<'_>) -> bool {
    let label = slot(&namespace_key(offloading), SCHEDULING);
    let mut maps = offloading.maps.iter().filter(|map| !map.object.deleting);
    state.is_unsettled(&label)
        || maps.any(|map| state.is_unsettled(&mapping_slot(map.key, &offloading.namespace)))
}

fn namespace_key(offloading: &Offloading<'_>) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Namespace, offloading.namespace.as_str())
}

impl Map<'_> {
    fn mentions(&self, namespace: &NamespaceName) -> bool {
        self.facts.desired.contains_key(namespace) || self.facts.current.contains_key(namespace.as_str())
    }
}

/// The name that was chosen, or that the object had from an earlier life of the log.
fn remote_name(state: &State, offloading: &Offloading<'_>) -> Option<NamespaceName> {
    let chosen = state
        .remote_names
        .get(&offloading.namespace)
        .filter(|chosen| chosen.body.uid == offloading.object.uid);
    chosen.map(|chosen| chosen.body.remote.clone())
}

fn choose_remote_name(state: &State, offloading: &Offloading<'_>) -> Vec<Output> {
    let remote = if offloading.facts.remote_name.is_empty() {
        let Some(identity) = &state.identity else { return Vec::new() };
        match offloading.facts.mapping {
            MappingStrategy::EnforceSameName => offloading.namespace.clone(),
            MappingStrategy::DefaultName => {
                remote_namespace_name(&offloading.namespace, &identity.body.name, &identity.body.id)
            }
        }
    } else {
        offloading.facts.remote_name.clone()
    };
    if let Err(invalid) = liqo_model::check_dns_label("the name of the remote namespace", remote.as_str()) {
        let hint = "spec.namespaceMappingStrategy EnforceSameName gives a shorter one";
        return reject(state, offloading, format!("{invalid}; {hint}"));
    }
    let (namespace, uid) = (offloading.namespace.clone(), offloading.object.uid.clone());
    vec![Output::Record(Event::RemoteNamespaceChosen(RemoteNamespaceChosen { namespace, uid, remote }))]
}

/// For each map whether the selector wants its peer; nothing for a peer without a virtual node.
fn select(offloading: &Offloading<'_>) -> Result<Vec<Option<bool>>, Invalid> {
    // An invalid selector is told even when there is no node to judge.
    selects(&offloading.facts.selector, &Labels::default(), "")?;
    offloading
        .maps
        .iter()
        .map(|map| match map.node {
            Some((name, Object { facts: Facts::Node(facts), .. })) => {
                selects(&offloading.facts.selector, &facts.labels, name).map(Some)
            }
            _ => Ok(None),
        })
        .collect()
}

fn reject(state: &State, offloading: &Offloading<'_>, reason: String) -> Vec<Output> {
    let known = state.rejected.get(&offloading.key);
    if known.is_some_and(|known| known.body.reason == reason && known.body.uid == offloading.object.uid) {
        return Vec::new();
    }
    let (object, uid) = (offloading.key.clone(), offloading.object.uid.clone());
    vec![Output::Record(Event::Rejected(Rejected { object, uid, reason }))]
}

fn finalizer(state: &State, offloading: &Offloading<'_>, present: bool) -> Option<Output> {
    let effect = Effect::SetFinalizer {
        uid: offloading.object.uid.clone(),
        finalizer: OFFLOADING_FINALIZER.to_owned(),
        present,
    };
    state.request(Wish { slot: slot(&offloading.key, "finalizer"), effect, because: offloading.object.seen })
}

/// The label that sends the namespace's pods through the webhook. What is known of it counts only when it is certain.
fn scheduling(state: &State, offloading: &Offloading<'_>, enabled: bool, certain: bool) -> Option<Output> {
    let key = namespace_key(offloading);
    let object = state.objects.get(&key)?;
    let Facts::Namespace(facts) = &object.facts else { return None };
    let effect = Effect::SetScheduling { uid: object.uid.clone(), enabled };
    let because = object.seen.max(offloading.object.seen);
    let (wish, as_known) =
        (Wish { slot: slot(&key, SCHEDULING), effect, because }, facts.scheduling_enabled == enabled);
    // An answer from before what made it uncertain is none, even when nothing has changed since.
    if as_known && !certain && !object.deleting {
        return state.request_anew(wish);
    }
    state.ensure(wish, as_known || object.deleting)
}

/// The entry of this namespace in a map.
fn mapping(
    state: &State,
    offloading: &Offloading<'_>,
    map: &Map<'_>,
    wanted: Option<&NamespaceName>,
) -> Option<Output> {
    // What made it necessary: the object's change or deletion, or its node's labels.
    let cause = offloading.object.seen.max(map.node.map_or(Seq(0), |(_, node)| node.seen));
    let effect = Effect::MapNamespace {
        uid: map.object.uid.clone(),
        namespace: offloading.namespace.clone(),
        remote: wanted.cloned(),
        cause,
    };
    let settled = map.facts.desired.get(&offloading.namespace) == wanted || map.object.deleting;
    let slot = mapping_slot(map.key, &offloading.namespace);
    state.ensure(Wish { slot, effect, because: cause.max(map.object.seen) }, settled)
}

pub(crate) fn mapping_slot(map: &ObjectKey, namespace: &NamespaceName) -> Slot {
    slot(map, &format!("mapping:{namespace}"))
}

fn slot(key: &ObjectKey, part: &str) -> Slot {
    Slot { object: key.clone(), part: part.to_owned() }
}

/// The status: what each map says of this namespace, and the sum of it.
fn status(
    state: &State,
    offloading: &Offloading<'_>,
    remote: &NamespaceName,
    required: &BTreeMap<&str, bool>,
) -> Option<Output> {
    let mut conditions = BTreeMap::new();
    for map in &offloading.maps {
        let name = map.key.name.as_str();
        let wanted = required.get(name).copied().unwrap_or(false);
        if offloading.object.deleting && !map.mentions(&offloading.namespace) {
            continue;
        }
        conditions.insert(name.to_owned(), conditions_of(offloading, map, wanted));
    }
    let phase = phase(offloading.object.deleting, &conditions);
    let facts = offloading.facts;
    let said = facts.phase == phase
        && facts.remote_name == *remote
        && facts.observed_generation == offloading.object.generation
        && facts.conditions == conditions;
    let effect = Effect::WriteOffloadingStatus {
        uid: offloading.object.uid.clone(),
        remote_name: remote.clone(),
        phase: phase.to_owned(),
        observed_generation: offloading.object.generation,
        conditions,
    };
    let slot = slot(&offloading.key, "status");
    state.ensure(Wish { slot, effect, because: offloading.object.seen }, said)
}

fn conditions_of(offloading: &Offloading<'_>, map: &Map<'_>, required: bool) -> Vec<Condition> {
    let since = offloading.object.seen_at.max(map.object.seen_at);
    let known = offloading.facts.conditions.get(&map.key.name).map_or(&[][..], Vec::as_slice);
    let phase = map.facts.current.get(offloading.namespace.as_str()).map(|current| current.phase.as_str());
    let selection = if required { ("True", "ClusterSelected") } else { ("False", "ClusterNotSelected") };
    let mut conditions = vec![condition(known, "OffloadingRequired", selection, since)];
    let readiness = match phase {
        Some("Accepted") => Some(("True", "NamespaceCreated")),
        Some("CreationLoopBackOff") => Some(("False", "CreationLoopBackOff")),
        Some("Terminating") => Some(("False", "Terminating")),
        Some(_) | None if required => Some(("False", "Creating")),
        Some(_) | None => None,
    };
    conditions.extend(readiness.map(|said| condition(known, "Ready", said, since)));
    conditions
}

fn condition(known: &[Condition], kind: &str, said: (&str, &str), since: UnixMillis) -> Condition {
    let wanted = Condition {
        kind: kind.to_owned(),
        status: said.0.to_owned(),
        reason: said.1.to_owned(),
        message: String::new(),
        since,
    };
    let same = known.iter().find(|condition| {
        let silent = Condition { message: String::new(), ..(*condition).clone() };
        says_the_same(&silent, &wanted)
    });
    match same {
        Some(condition) => condition.clone(),
        None => with_condition(&[], wanted).swap_remove(0),
    }
}

fn phase(deleting: bool, conditions: &BTreeMap<String, Vec<Condition>>) -> &'static str {
    let is = |conditions: &[Condition], kind: &str, reason: &str| {
        conditions.iter().any(|condition| condition.kind == kind && condition.reason == reason)
    };
    let required: Vec<_> =
        conditions.values().filter(|all| is(all, "OffloadingRequired", "ClusterSelected")).collect();
    let ready = required.iter().filter(|all| is(all, "Ready", "NamespaceCreated")).count();
    let failed = required.iter().filter(|all| is(all, "Ready", "CreationLoopBackOff")).count();
    match required.len() {
        _ if deleting => "Terminating",
        0 => "NoClusterSelected",
        all if ready == all => "Ready",
        all if failed == all => "AllFailed",
        _ if failed > 0 => "SomeFailed",
        _ => "InProgress",
    }
}
