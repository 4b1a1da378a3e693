//! When a deadline of the state fires on the monotonic clock.

use std::collections::BTreeMap;

use liqo_events::UnixMillis;

use super::Moment;
use crate::ArmedDeadline;

/// Deadlines whose moment is remembered. Only the one that is due first is asked for, so a handful is in use; the bound
/// is for those that were given up before they were due.
const REMEMBERED: usize = 1024;

/// A deadline that the machine keeps although it passed is a fault of the machine. It must not become a busy loop.
const AGAIN_MILLIS: u64 = 30_000;

/// The monotonic moments of the deadlines that were seen.
///
/// The moment of a deadline is settled when it is first seen: from then on no jump of the wall clock moves it. What had
/// passed of it by then, over a restart or behind an earlier deadline, is judged by the wall clock, and what is left is
/// never more than the whole. A wall clock that jumped ahead in between makes it early, which harms nothing: a deadline
/// alone never destroys.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<ArmedDeadline, u64>,
}

impl Timers {
    /// Milliseconds of the monotonic clock at which the deadline fires. `recorded` is the time of the last event.
    pub(super) fn due_at(&mut self, armed: &ArmedDeadline, now: Moment, recorded: UnixMillis) -> u64 {
        if let Some(due) = self.due.get(armed) {
            return *due;
        }
        let passed = now.wall.max(recorded).since(armed.armed_at);
        let due = now.monotonic.saturating_add(armed.after_millis.saturating_sub(passed));
        self.remember(armed, due);
        due
    }

    /// The deadline fired.
    pub(super) fn fired(&mut self, armed: &ArmedDeadline, now: Moment) {
        self.remember(armed, now.monotonic.saturating_add(AGAIN_MILLIS));
    }

    fn remember(&mut self, armed: &ArmedDeadline, due: u64) {
        self.due.insert(armed.clone(), due);
        if self.due.len() > REMEMBERED
            && let Some(oldest) = self.due.iter().min_by_key(|(_, due)| **due).map(|(armed, _)| armed.clone())
        {
            self.due.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use liqo_events::{CommandId, Deadline};

    use super::*;

    fn armed(at: i64, after_millis: u64) -> ArmedDeadline {
        ArmedDeadline {
            armed_at: UnixMillis(at),
            after_millis,
            deadline: Deadline::Retry(CommandId([1; 16])),
        }
    }

    fn moment(wall: i64, monotonic: u64) -> Moment {
        Moment { wall: UnixMillis(wall), monotonic }
    }

    #[test]
    fn once_seen_no_jump_of_the_wall_clock_moves_it() {
        let mut timers = Timers::default();
        let deadline = armed(1_000, 500);
        assert_eq!(timers.due_at(&deadline, moment(1_000, 7), UnixMillis(1_000)), 507);
        assert_eq!(timers.due_at(&deadline, moment(90_000_000, 8), UnixMillis(1_000)), 507);
        assert_eq!(timers.due_at(&deadline, moment(-90_000_000, 9), UnixMillis(1_000)), 507);
    }

    #[test]
    fn over_a_restart_what_is_left_is_waited_for_and_never_more_than_the_whole() {
        let cases = [(1_400, 1_007), (1_500, 907), (5_000_000, 7), (-5_000_000, 1_407)];
        for (wall, due) in cases {
            let deadline = armed(1_000, 1_400);
            assert_eq!(
                Timers::default().due_at(&deadline, moment(wall, 7), UnixMillis(1_000)),
                due,
                "{wall}"
            );
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut timers = Timers::default();
        for at in 0..5_000 {
            timers.due_at(&armed(at, 1), moment(at, 0), UnixMillis(at));
        }
        assert_eq!(timers.due.len(), REMEMBERED);
    }
}
