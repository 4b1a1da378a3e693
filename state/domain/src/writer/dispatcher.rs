//! Which commands leave now: those whose reasons are durable, a bounded number, one a target.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use liqo_events::{Command, CommandId, Seq};
use liqo_model::ObjectKey;

use crate::Ready;

/// Commands carried out at the same time. As many requests as an API server answers at once for one client under its
/// default priority, and few enough for all of them to end within the grace of a shutdown.
pub const IN_FLIGHT: usize = 64;

/// A command that leaves now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The command.
    pub command: Command,
    /// Counts from 1.
    pub attempt: u32,
}

/// What is under way, and what may be.
///
/// The state runs ahead of the disk: a command may be ready in memory for a reason that is not durable yet. So the ready
/// ones are noted when a batch is cut, and may leave when that batch is durable, if they are still ready then.
#[derive(Clone, Debug, Default)]
pub(super) struct Dispatcher {
    in_flight: BTreeMap<CommandId, Dispatch>,
    /// Two writes to one object would only conflict with each other.
    targets: BTreeSet<ObjectKey>,
    /// By the last event of their batch. One batch is being written while the next one is cut, so there are two at most.
    noted: VecDeque<(Seq, BTreeSet<CommandId>)>,
    durable: BTreeSet<CommandId>,
}

impl Dispatcher {
    pub(super) fn note(&mut self, last: Seq, ready: Vec<Ready>) {
        let ids = ready.into_iter().map(|ready| ready.command.id).collect();
        self.noted.push_back((last, ids));
    }

    pub(super) fn durable(&mut self, seq: Seq) {
        while self.noted.front().is_some_and(|(last, _)| *last <= seq) {
            self.durable = self.noted.pop_front().map(|(_, ids)| ids).unwrap_or_default();
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.in_flight.len() >= IN_FLIGHT
    }

    pub(super) fn count(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes those of `ready` that may leave; `settled` says that everything in memory is durable.
    pub(super) fn leave(&mut self, ready: Vec<Ready>, settled: bool) -> Vec<Dispatch> {
        let mut leaving = Vec::new();
        for Ready { command, attempts } in ready {
            if self.is_full() {
                break;
            }
            let allowed = settled || self.durable.contains(&command.id);
            if !allowed
                || self.in_flight.contains_key(&command.id)
                || self.targets.contains(&command.slot.object)
            {
                continue;
            }
            self.targets.insert(command.slot.object.clone());
            let dispatch = Dispatch { command, attempt: attempts.saturating_add(1) };
            self.in_flight.insert(dispatch.command.id, dispatch.clone());
            leaving.push(dispatch);
        }
        leaving
    }

    /// The command ended. What was noted before speaks of the try that is over, so it must not justify the next one.
    pub(super) fn end(&mut self, id: CommandId) -> Option<Dispatch> {
        let dispatch = self.give_back(id)?;
        self.forget(id);
        Some(dispatch)
    }

    /// The command is issued, maybe once more after it was taken back: what was noted before is not the reason any more.
    pub(super) fn forget(&mut self, id: CommandId) {
        self.durable.remove(&id);
        for (_, ids) in &mut self.noted {
            ids.remove(&id);
        }
    }

    /// The command did not leave after all.
    pub(super) fn give_back(&mut self, id: CommandId) -> Option<Dispatch> {
        let dispatch = self.in_flight.remove(&id)?;
        self.targets.remove(&dispatch.command.slot.object);
        Some(dispatch)
    }
}
