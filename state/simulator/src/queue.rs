//! What happens next. Virtual time jumps from one step to the next; steps of one moment come in any order.

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::process::{Actor, Flight, ProcessId, Reply, Watched};
use crate::user::Opening;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A user makes one of the first moves.
    Opening(usize, Opening),
    /// A user does something.
    User,
    /// Something goes wrong.
    Fault,
    /// Controllers that are models do what is to be done in a cluster.
    Agents(usize),
    /// A process starts.
    Start(ProcessId),
    /// A process dies.
    Kill(ProcessId),
    /// A process looks after its lease.
    Lease(Actor),
    /// A watch goes on.
    Watch(Actor, Watched),
    /// A process looks who its peers are, and what there is to watch at them.
    Links(Actor),
    /// A process asks whether the API server of a peer answers.
    Probe(Actor, usize),
    /// The engine takes inputs in.
    Work(Actor),
    /// The engine hands a batch to the log.
    Cut(Actor),
    /// The log answers.
    Flushed(Actor),
    /// The engine lets commands go.
    Dispatch(Actor),
    /// A request reaches an API server.
    Arrive(usize, Box<Flight>),
    /// Its answer reaches the process.
    Answer(Box<Flight>, Reply),
}

impl Step {
    /// The process whose run the step is part of.
    pub(crate) fn actor(&self) -> Option<Actor> {
        match self {
            Self::Lease(actor) | Self::Watch(actor, _) | Self::Work(actor) | Self::Cut(actor) => Some(*actor),
            Self::Flushed(actor) | Self::Dispatch(actor) => Some(*actor),
            Self::Links(actor) | Self::Probe(actor, _) => Some(*actor),
            Self::Answer(flight, _) => Some(flight.actor),
            Self::Opening(..) | Self::User | Self::Fault | Self::Agents(_) => None,
            Self::Start(_) | Self::Kill(_) | Self::Arrive(..) => None,
        }
    }
}

/// Steps by time.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    steps: BTreeMap<(u64, u64), Step>,
}

impl Queue {
    pub(crate) fn push(&mut self, at: u64, step: Step, chance: &mut Chance) {
        let mut key = (at, chance.bits());
        while self.steps.contains_key(&key) {
            key.1 = key.1.wrapping_add(1);
        }
        self.steps.insert(key, step);
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, Step)> {
        self.steps.pop_first().map(|((at, _), step)| (at, step))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Step> {
        self.steps.values()
    }

    /// Drops steps, by their time and what they are.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u64, &Step) -> bool) {
        self.steps.retain(|(at, _), step| keep(*at, step));
    }
}
