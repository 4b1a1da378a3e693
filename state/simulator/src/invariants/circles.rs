//! Every retry has a bound.

use liqo_domain::Dispatch;

use super::{Checked, ensure};
use crate::process::Actor;
use crate::world::World;

/// Tries of one command within a minute. The back-off begins with a quarter of a second and doubles, which makes ten of
/// them; a command that is given back because the lease ended may set out once more for each.
const TRIES: usize = 20;

impl World {
    /// A command sets out.
    pub(crate) fn check_circle(&mut self, actor: Actor, dispatch: &Dispatch) -> Checked {
        let now = self.now;
        let Some(running) = self.running(actor) else { return Ok(()) };
        let tries = running.tries.entry(dispatch.command.id).or_default();
        tries.push_back(now);
        while tries.front().is_some_and(|at| at + 60_000 < now) {
            tries.pop_front();
        }
        let count = tries.len();
        ensure(count <= TRIES, "no_command_is_tried_in_a_circle", || {
            format!("{} set out {count} times within a minute", dispatch.command.slot)
        })
    }
}
