//! The shape of every machine that the engine can run.

use std::collections::BTreeMap;

use liqo_events::{Command, Deadline, Event, Recorded, UnixMillis, WatchKey};
use liqo_model::{ObjectKey, ResourceVersion, Uid};

/// What a machine wants after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A choice that must never be made again.
    Record(Event),
    /// Something to be done. It is recorded as issued, and carried out when that is durable.
    Do(Command),
}

/// A deadline of the state. It fires on the monotonic clock; over a restart, what is left of `after_millis` is judged by
/// the wall clock and never more than the whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmedDeadline {
    /// When it was armed.
    pub armed_at: UnixMillis,
    /// How long it takes.
    pub after_millis: u64,
    /// What it is for.
    pub deadline: Deadline,
}

/// A complete list of one watch, whose objects were observed one by one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which watch.
    pub watch: WatchKey,
    /// Version of the list.
    pub resource_version: ResourceVersion,
    /// Generation of the cluster that answered.
    pub generation: u64,
    /// Every object in it with its life.
    pub present: BTreeMap<ObjectKey, Uid>,
}

/// A command that may be carried out now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The command.
    pub command: Command,
    /// How often it was tried before.
    pub attempts: u32,
}

/// A state that follows from events alone, and what it makes necessary. Synchronous, total, deterministic.
pub trait Machine {
    /// What is known.
    type State: Clone + Default + PartialEq + std::fmt::Debug + Send + 'static;

    /// Folds an event in. Cannot fail: what cannot be is ignored here and said by [`Self::decide`].
    fn evolve(state: &mut Self::State, event: &Recorded);

    /// Folds an event in that nobody needs afterwards, which may be cheaper.
    fn fold(state: &mut Self::State, event: Recorded) {
        Self::evolve(state, &event);
    }

    /// Plans what the event touched. `state` has the event already.
    fn decide(state: &Self::State, event: &Recorded) -> Vec<Output>;

    /// Plans everything: after a replay, on gaining the lease. `now` is the time of the last event.
    fn resume(state: &Self::State) -> Vec<Output>;

    /// The deadline that is due first.
    fn next_deadline(state: &Self::State) -> Option<ArmedDeadline>;

    /// Whether an event says anything that the state does not say already. One that does not is not recorded, be it
    /// observed or wanted by [`Self::decide`].
    fn is_news(state: &Self::State, event: &Event) -> bool;

    /// What is known of a watch and not in a complete list of it has vanished; ends with the completion of the list.
    fn compare(state: &Self::State, list: &Listed) -> Vec<Event>;

    /// Commands that were issued and have not ended, and wait for no deadline, in order of their issue; at most one a target.
    fn ready(state: &Self::State) -> Vec<Ready>;

    /// The shortest list of events that [`Self::evolve`] makes an equal state of, from nothing. They are given one by one:
    /// all of them at once would be the state once more.
    fn write_down(state: &Self::State, each: &mut dyn FnMut(Recorded));

    /// What [`Self::write_down`] gives, at once.
    fn compact(state: &Self::State) -> Vec<Recorded> {
        let mut events = Vec::new();
        Self::write_down(state, &mut |event| events.push(event));
        events
    }

    /// The fingerprint of a state.
    fn digest(state: &Self::State) -> liqo_events::StateDigest;
}
