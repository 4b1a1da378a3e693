//! Mappings whose offloading nobody has seen. **Causal fence**: "not seen yet" is never "deleted".
//!
//! A mapping is taken away only for a recorded cause: the offloading was seen to go, or two complete lists of one
//! cluster generation, a minute apart, lack it. What turns up right after the cluster was rebuilt or restored is held
//! until an administrator lets go of it.

use liqo_events::{Deadline, Effect, Event, Facts, OrphanNoticed, OrphanReleased, Seq, UnixMillis};
use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey};

use crate::machine::Output;
use crate::offloading::{OFFLOADING_NAME, is_decidable, mapping_slot};
use crate::outbox::Wish;
use crate::state::{Object, Orphan, State};

/// Between the two lists. Long enough for an apply that is under way to end; short enough for nobody to wonder.
pub const SECOND_LOOK_MILLIS: u64 = 60_000;

/// What orphans need now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    // What is left of an earlier life of the cluster must not be held against what was restored.
    if !is_decidable(state) {
        return Vec::new();
    }
    let mut outputs = Vec::new();
    for (namespace, gone) in &state.gone_offloadings {
        for (map, object) in maps_with(state, namespace) {
            outputs.extend(unmap(state, (map, object), namespace, gone.seq));
        }
    }
    for ((map, namespace), orphan) in &state.orphans {
        let Some(object) = state.objects.get(map) else { continue };
        match confirmed(state, orphan) {
            Some(cause) => outputs.extend(unmap(state, (map, object), namespace, cause)),
            None => outputs.extend(look_again(state, orphan)),
        }
    }
    outputs.extend(notice(state));
    outputs
}

fn notice(state: &State) -> Vec<Output> {
    let generation = state.generation(&ClusterRef::Local);
    let unnoticed =
        state.mappings_without_offloading().into_iter().filter(|key| !state.orphans.contains_key(key));
    unnoticed
        .map(|(map, namespace)| {
            // In a later generation, what nobody saw go can only come from the life before.
            let held = generation > 1;
            Output::Record(Event::OrphanNoticed(OrphanNoticed { map, namespace, generation, held }))
        })
        .collect()
}

/// The event that allows an orphan to be taken away: the administrator's word, or a second list that lacks it too.
fn confirmed(state: &State, orphan: &Orphan) -> Option<Seq> {
    if orphan.held || orphan.released.is_some() {
        return orphan.released;
    }
    let list = state.local_list(Kind::NamespaceOffloading)?;
    // The deadline alone measures the minute: the times of events stand still when the wall clock is set back.
    let second = orphan.due.is_some_and(|due| list.seq > due) && list.body.generation == orphan.generation;
    second.then_some(list.seq)
}

fn unmap(state: &State, map: (&ObjectKey, &Object), namespace: &NamespaceName, cause: Seq) -> Option<Output> {
    let (key, object) = map;
    let slot = mapping_slot(key, namespace);
    if object.deleting {
        return state.withdraw(&slot);
    }
    let effect =
        Effect::MapNamespace { uid: object.uid.clone(), namespace: namespace.clone(), remote: None, cause };
    state.request(Wish { slot, effect, because: cause.max(object.seen) })
}

/// Asks for the second list when the minute is over.
fn look_again(state: &State, orphan: &Orphan) -> Option<Output> {
    if orphan.held || orphan.due.is_none() {
        return None;
    }
    let list = state.local_list(Kind::NamespaceOffloading)?;
    state.look_at(Kind::NamespaceOffloading, list.seq)
}

fn maps_with<'a>(
    state: &'a State,
    namespace: &'a NamespaceName,
) -> impl Iterator<Item = (&'a ObjectKey, &'a Object)> {
    state.local(Kind::NamespaceMap).filter(|(_, object)| match &object.facts {
        Facts::NamespaceMap(facts) => facts.origin && facts.desired.contains_key(namespace),
        _ => false,
    })
}

/// Whether the end of an object that nobody knew explains a mapping.
pub(crate) fn concerns(state: &State, object: &ObjectKey) -> bool {
    object.kind == Kind::NamespaceOffloading
        && object.cluster == ClusterRef::Local
        && object.name == OFFLOADING_NAME
        && state.is_mapped(&NamespaceName::new(object.namespace.as_str()))
}

impl State {
    /// Whether a mapping of the namespace is left in any map.
    pub(crate) fn is_mapped(&self, namespace: &NamespaceName) -> bool {
        maps_with(self, namespace).next().is_some()
    }

    /// An object that was seen or went may end orphans; only a list may begin them.
    pub(crate) fn review_orphans_after(&mut self, key: &ObjectKey) {
        match key.kind {
            Kind::NamespaceOffloading | Kind::NamespaceMap if key.cluster == ClusterRef::Local => {}
            _ => return,
        }
        let ended: Vec<_> = self
            .orphans
            .iter()
            .map(|(key, _)| key.clone())
            .filter(|(map, namespace)| !self.is_orphan(map, namespace))
            .collect();
        for key in ended {
            self.disarm_orphan(&key);
            self.orphans.remove(&key);
        }
        let settled: Vec<_> = self
            .gone_offloadings
            .iter()
            .map(|(namespace, _)| namespace.clone())
            .filter(|namespace| !self.is_mapped(namespace))
            .collect();
        for namespace in settled {
            self.gone_offloadings.remove(&namespace);
        }
    }

    pub(crate) fn evolve_noticed(&mut self, seq: Seq, at: UnixMillis, body: &OrphanNoticed) {
        let key = (body.map.clone(), body.namespace.clone());
        if !self.is_orphan(&key.0, &key.1) {
            return;
        }
        self.disarm_orphan(&key);
        if !body.held {
            let deadline = Deadline::Orphan { map: key.0.clone(), namespace: key.1.clone() };
            self.derived.deadlines.insert((at.plus(SECOND_LOOK_MILLIS), deadline, at));
        }
        let (generation, held) = (body.generation, body.held);
        self.orphans.insert(
            key,
            Orphan { noticed: seq, noticed_at: at, generation, held, due: None, released: None },
        );
    }

    pub(crate) fn evolve_released(&mut self, seq: Seq, released: &OrphanReleased) {
        let key = (released.map.clone(), released.namespace.clone());
        self.disarm_orphan(&key);
        self.orphans.update(&key, |orphan| orphan.released = Some(seq));
        self.touch(crate::aggregate::Aggregate::Orphans);
    }

    pub(crate) fn evolve_second_look(&mut self, seq: Seq, key: &(ObjectKey, NamespaceName)) {
        self.disarm_orphan(key);
        self.orphans.update(key, |orphan| orphan.due = orphan.due.or(Some(seq)));
        self.touch(crate::aggregate::Aggregate::Orphans);
    }

    pub(crate) fn disarm_orphan(&mut self, key: &(ObjectKey, NamespaceName)) {
        let Some(orphan) = self.orphans.get(key) else { return };
        let deadline = Deadline::Orphan { map: key.0.clone(), namespace: key.1.clone() };
        let entry = (orphan.noticed_at.plus(SECOND_LOOK_MILLIS), deadline, orphan.noticed_at);
        self.derived.deadlines.remove(&entry);
    }

    fn is_orphan(&self, map: &ObjectKey, namespace: &NamespaceName) -> bool {
        let offloading = ObjectKey::local(Kind::NamespaceOffloading, namespace.as_str(), OFFLOADING_NAME);
        let mapped = self.objects.get(map).is_some_and(|object| match &object.facts {
            Facts::NamespaceMap(facts) => facts.origin && facts.desired.contains_key(namespace),
            _ => false,
        });
        mapped && !self.objects.contains_key(&offloading) && !self.gone_offloadings.contains_key(namespace)
    }

    fn mappings_without_offloading(&self) -> Vec<(ObjectKey, NamespaceName)> {
        let mapped = self.local(Kind::NamespaceMap).filter_map(|(key, object)| match &object.facts {
            Facts::NamespaceMap(facts) if facts.origin => Some((key, facts)),
            _ => None,
        });
        mapped
            .flat_map(|(key, facts)| {
                facts.desired.keys().map(move |namespace| (key.clone(), namespace.clone()))
            })
            .filter(|(map, namespace)| self.is_orphan(map, namespace))
            .collect()
    }
}
