//! A small machine of its own: each namespace gets a remote name, chosen once a life, and then pods may be scheduled.
//!
//! It has what machines are made of: choices, commands, retries with deadlines, lists, a compact form. A namespace
//! called `runaway` makes it choose for ever, and it comes to its senses when everything is planned again. One called
//! `poison` makes it panic. The command for one called `again` has the same name in each of its lives.

use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_domain::{ArmedDeadline, Listed, Machine, Output, Ready, Table};
use liqo_events::{
    Applied, Command, CommandFailed, CommandId, CommandIssued, CursorMoved, Deadline, DeadlinePassed,
    Disposition, Effect, Event, Facts, Proof, Recorded, RelistCompleted, RemoteNamespaceChosen, Seq, Slot,
    StateDigest, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{NamespaceName, ObjectKey, ResourceVersion, Uid};

/// The machine.
#[derive(Debug)]
pub(crate) struct Namespaces;

/// What it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Namespaces, with the event that said so.
    pub(crate) objects: Table<ObjectKey, (Seq, UnixMillis, Applied)>,
    /// How far each watch was seen.
    pub(crate) cursors: Table<WatchKey, (Seq, UnixMillis, ResourceVersion)>,
    /// Complete lists.
    pub(crate) lists: Table<WatchKey, (Seq, UnixMillis, RelistCompleted)>,
    /// The choices.
    pub(crate) chosen: Table<NamespaceName, (Seq, UnixMillis, RemoteNamespaceChosen)>,
    /// Commands without an outcome, by what they are about.
    pub(crate) outbox: Table<ObjectKey, Pending>,
}

/// A command without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    /// The command.
    pub(crate) command: Command,
    /// Where and when it was issued.
    pub(crate) issued: (Seq, UnixMillis),
    /// The last failure.
    pub(crate) failed: Option<(Seq, UnixMillis, CommandFailed)>,
    /// Whether it waits for its next try, or for a change.
    pub(crate) waits: bool,
}

impl Machine for Namespaces {
    type State = State;

    fn evolve(state: &mut State, recorded: &Recorded) {
        let (seq, at) = (recorded.seq, recorded.recorded_at);
        match &recorded.event {
            Event::Applied(applied) => {
                assert_ne!(applied.object.name, "poison");
                let earlier = state.objects.insert(applied.object.clone(), (seq, at, applied.clone()));
                if earlier.is_some_and(|(_, _, earlier)| earlier.uid != applied.uid) {
                    state.chosen.remove(&name(&applied.object));
                }
                state.outbox.update(&applied.object, |pending| pending.waits &= !pending.is_parked());
            }
            Event::Vanished(vanished) => {
                state.objects.remove(&vanished.object);
                state.outbox.remove(&vanished.object);
                state.chosen.remove(&name(&vanished.object));
            }
            Event::CursorMoved(moved) => {
                state.cursors.insert(moved.watch.clone(), (seq, at, moved.resource_version.clone()));
            }
            Event::RelistCompleted(list) => {
                state.lists.insert(list.watch.clone(), (seq, at, list.clone()));
            }
            Event::RemoteNamespaceChosen(chosen) => {
                state.chosen.insert(chosen.namespace.clone(), (seq, at, chosen.clone()));
            }
            Event::CommandIssued(issued) => {
                let command = issued.command.clone();
                let object = command.slot.object.clone();
                state
                    .outbox
                    .insert(object, Pending { command, issued: (seq, at), failed: None, waits: false });
            }
            Event::CommandSucceeded(done) => state.end(done.id),
            Event::CommandSuperseded(done) => state.end(done.id),
            Event::CommandFailed(failed) => state.change(failed.id, |pending| {
                pending.failed = Some((seq, at, failed.clone()));
                pending.waits = true;
            }),
            Event::DeadlinePassed(DeadlinePassed { deadline: Deadline::Retry(id) }) => {
                state.change(*id, |pending| pending.waits = false);
            }
            _ => {}
        }
    }

    fn decide(state: &State, recorded: &Recorded) -> Vec<Output> {
        match &recorded.event {
            Event::Applied(applied) => plan(state, &applied.object),
            Event::RemoteNamespaceChosen(chosen) if chosen.namespace.as_str() == "runaway" => {
                let remote = NamespaceName::new(format!("{}x", recorded.seq));
                vec![Output::Record(RemoteNamespaceChosen { remote, ..chosen.clone() }.into())]
            }
            Event::RemoteNamespaceChosen(chosen) => {
                let from = namespace(chosen.namespace.as_str());
                // And its neighbour as long as that has no name, as if it depended on the choice: plans overlap.
                let nameless = |object: &ObjectKey| !state.chosen.contains_key(&name(object));
                let touched = state.objects.range(from.clone()..).take(2).map(|(object, _)| object);
                touched
                    .filter(|object| **object == from || nameless(object))
                    .flat_map(|object| plan(state, object))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn resume(state: &State) -> Vec<Output> {
        state.objects.iter().flat_map(|(object, _)| plan(state, object)).collect()
    }

    fn next_deadline(state: &State) -> Option<ArmedDeadline> {
        let armed = state
            .outbox
            .iter()
            .map(|(_, pending)| pending)
            .filter(|pending| pending.waits)
            .filter_map(Pending::deadline);
        armed.min_by_key(|armed| (armed.armed_at.plus(armed.after_millis), armed.deadline.clone()))
    }

    fn is_news(state: &State, event: &Event) -> bool {
        match event {
            Event::Applied(applied) => state.objects.get(&applied.object).is_none_or(|(_, _, known)| {
                known.uid != applied.uid || known.facts != applied.facts || known.deleting != applied.deleting
            }),
            Event::Vanished(vanished) => {
                state.objects.get(&vanished.object).is_some_and(|(_, _, known)| known.uid == vanished.uid)
            }
            Event::CursorMoved(moved) => {
                state.cursors.get(&moved.watch).is_none_or(|(_, _, known)| *known != moved.resource_version)
            }
            Event::RemoteNamespaceChosen(chosen) => {
                state.chosen.get(&chosen.namespace).is_none_or(|(_, _, known)| known != chosen)
            }
            Event::CommandIssued(CommandIssued { command }) => {
                let known = state.outbox.get(&command.slot.object);
                known.is_none_or(|pending| pending.command.id != command.id)
            }
            Event::CommandSucceeded(done) => state.find(done.id).is_some(),
            Event::CommandSuperseded(done) => state.find(done.id).is_some(),
            Event::CommandFailed(failed) => state.find(failed.id).is_some(),
            _ => true,
        }
    }

    fn compare(state: &State, list: &Listed) -> Vec<Event> {
        let gone = state.objects.iter().map(|(_, known)| known).filter(|(_, _, known)| {
            let object = &known.object;
            object.kind == list.watch.kind
                && object.cluster == list.watch.cluster
                && !list.present.contains_key(object)
        });
        let mut events: Vec<Event> = gone
            .map(|(_, _, known)| {
                Event::Vanished(Vanished {
                    object: known.object.clone(),
                    uid: known.uid.clone(),
                    resource_version: list.resource_version.clone(),
                    proof: Proof::AbsentFromList { generation: list.generation },
                })
            })
            .collect();
        events.push(Event::RelistCompleted(RelistCompleted {
            watch: list.watch.clone(),
            resource_version: list.resource_version.clone(),
            generation: list.generation,
            objects: u32::try_from(list.present.len()).unwrap_or(u32::MAX),
            differences: u32::try_from(events.len()).unwrap_or(u32::MAX),
        }));
        events
    }

    fn ready(state: &State) -> Vec<Ready> {
        let mut ready: Vec<&Pending> =
            state.outbox.iter().map(|(_, pending)| pending).filter(|pending| !pending.waits).collect();
        ready.sort_by_key(|pending| (pending.issued.0, pending.command.id));
        ready
            .into_iter()
            .map(|pending| Ready { command: pending.command.clone(), attempts: pending.attempts() })
            .collect()
    }

    fn write_down(state: &State, each: &mut dyn FnMut(Recorded)) {
        let mut add = |seq: Seq, at: UnixMillis, event: Event| {
            each(Recorded { seq, recorded_at: at, caused_by: None, event });
        };
        for (_, (seq, at, applied)) in &state.objects {
            add(*seq, *at, applied.clone().into());
        }
        for (watch, (seq, at, version)) in &state.cursors {
            add(*seq, *at, CursorMoved { watch: watch.clone(), resource_version: version.clone() }.into());
        }
        state.lists.iter().for_each(|(_, (seq, at, list))| add(*seq, *at, list.clone().into()));
        state.chosen.iter().for_each(|(_, (seq, at, chosen))| add(*seq, *at, chosen.clone().into()));
        for (_, pending) in &state.outbox {
            add(
                pending.issued.0,
                pending.issued.1,
                CommandIssued { command: pending.command.clone() }.into(),
            );
            let Some((seq, at, failed)) = &pending.failed else { continue };
            add(*seq, *at, failed.clone().into());
            if !pending.waits {
                add(*seq, *at, DeadlinePassed { deadline: Deadline::Retry(failed.id) }.into());
            }
        }
    }

    fn digest(state: &State) -> StateDigest {
        let State { objects, cursors, lists, chosen, outbox } = state;
        StateDigest(hash(&[
            objects.digest(),
            cursors.digest(),
            lists.digest(),
            chosen.digest(),
            outbox.digest(),
        ]))
    }
}

impl State {
    fn find(&self, id: CommandId) -> Option<&ObjectKey> {
        self.outbox.iter().find(|(_, pending)| pending.command.id == id).map(|(object, _)| object)
    }

    fn change(&mut self, id: CommandId, change: impl FnOnce(&mut Pending)) {
        if let Some(object) = self.find(id).cloned() {
            self.outbox.update(&object, change);
        }
    }

    fn end(&mut self, id: CommandId) {
        if let Some(object) = self.find(id).cloned() {
            self.outbox.remove(&object);
        }
    }
}

impl Pending {
    fn attempts(&self) -> u32 {
        self.failed.as_ref().map_or(0, |(_, _, failed)| failed.attempt)
    }

    fn is_parked(&self) -> bool {
        self.failed.as_ref().is_some_and(|(_, _, failed)| failed.disposition == Disposition::Park)
    }

    fn deadline(&self) -> Option<ArmedDeadline> {
        let (_, at, failed) = self.failed.as_ref()?;
        let Disposition::Retry { after_millis } = failed.disposition else { return None };
        Some(ArmedDeadline { armed_at: *at, after_millis, deadline: Deadline::Retry(failed.id) })
    }
}

/// What a namespace needs now. The remote name has the event's number in it, so a choice that is made again shows.
fn plan(state: &State, object: &ObjectKey) -> Vec<Output> {
    let Some((seq, _, applied)) = state.objects.get(object) else { return Vec::new() };
    let namespace = name(object);
    if !state.chosen.contains_key(&namespace) {
        let remote = NamespaceName::new(format!("{namespace}-{seq}"));
        let chosen = RemoteNamespaceChosen { namespace, uid: applied.uid.clone(), remote };
        return vec![Output::Record(chosen.into())];
    }
    let slot = Slot { object: object.clone(), part: "scheduling".to_owned() };
    let asked = state.outbox.iter().map(|(_, pending)| pending).any(|pending| pending.command.slot == slot);
    if asked
        || applied.deleting
        || matches!(&applied.facts, Facts::Namespace(facts) if facts.scheduling_enabled)
    {
        return Vec::new();
    }
    let cause = if object.name == "again" { Seq::default() } else { *seq };
    let id = u128::from(hash(&(&slot, cause))).to_be_bytes();
    let effect = Effect::SetScheduling { uid: applied.uid.clone(), enabled: true };
    vec![Output::Do(Command { id: CommandId(id), slot, effect })]
}

/// A namespace of the local cluster.
pub(crate) fn namespace(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(liqo_model::Kind::Namespace, name)
}

/// Its first life.
pub(crate) fn uid(name: &str) -> Uid {
    Uid::new(format!("uid-of-{name}"))
}

fn name(object: &ObjectKey) -> NamespaceName {
    NamespaceName::new(object.name.as_str())
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
