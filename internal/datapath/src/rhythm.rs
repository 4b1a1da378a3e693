//! When an agent looks again. Pure; time comes in.

use std::time::Duration;

/// Between looks when nothing happened: somebody may have changed something without a word.
pub(crate) const REGULAR: Duration = Duration::from_secs(30);
/// From word of a change to a look: what changes one thing usually changes several.
pub(crate) const SETTLE: Duration = Duration::from_millis(200);
/// First wait after something could not be done. It doubles up to the regular one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// How long to wait for the next look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    failures: u32,
}

impl Rhythm {
    /// After a look that left so many problems which trying again may solve.
    pub(crate) fn after(&mut self, problems: usize) -> Duration {
        if problems == 0 {
            self.failures = 0;
            return REGULAR;
        }
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(self.failures)).min(REGULAR);
        self.failures = self.failures.saturating_add(1).min(16);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_while_something_fails_and_begin_anew_when_it_succeeded() {
        let mut rhythm = Rhythm::default();
        let waits: Vec<u64> = (0..7).map(|_| rhythm.after(1).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(rhythm.after(0), REGULAR);
        assert_eq!(rhythm.after(2), FIRST_RETRY);
    }
}
