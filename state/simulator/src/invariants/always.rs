//! Checked after every step.

use liqo_model::Kind;

use super::{Checked, ensure};
use crate::process::{Actor, WATCHED};
use crate::user::NAMESPACES;
use crate::world::World;

/// Commands that one object can need at the same time: one for each of its parts. A map has a part for each namespace.
const PARTS: usize = 4;

impl World {
    /// What can be seen of a process at any time.
    pub(crate) fn check_always(&self, actor: Actor) -> Checked {
        let process = &self.clusters[actor.process.cluster].processes[actor.process.replica];
        let Some(running) = &process.running else { return Ok(()) };
        let (writer, durable) = (&running.writer, process.disk.last());
        let state = writer.state();
        let maps = state.local(Kind::NamespaceMap).count();
        let bound = PARTS * (state.objects.len() + WATCHED.len()) + NAMESPACES.len() * maps;
        ensure(state.outbox.len() <= bound, "the_outbox_is_bounded", || {
            format!("{} has {} commands for {} objects", process.id, state.outbox.len(), state.objects.len())
        })?;
        ensure(writer.last() >= writer.durable_seq(), "nothing_is_durable_that_did_not_happen", || {
            format!("{}: {} and {}", process.id, writer.last(), writer.durable_seq())
        })?;
        let settled = running.degraded.is_none() && writer.last() == durable && running.flushing.is_none();
        ensure(
            !settled || writer.state().digest() == process.disk.replica().digest(),
            "a_replay_gives_the_recorded_states",
            || format!("{}: at {durable} the states in memory and of the log differ", process.id),
        )
    }
}
