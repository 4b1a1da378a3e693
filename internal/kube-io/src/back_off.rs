//! How long to wait before something is tried again.

use std::time::Duration;

use crate::Chance;

/// Longest pause between two attempts. An API server that is back is noticed within half a minute, and hundreds of
/// clients that wait this long cost a starting one a few requests a second.
pub const MAX_BACK_OFF: Duration = Duration::from_secs(30);

/// First pause: long enough that a crash loop is no attack, short enough that nobody sees a lost connection.
const FIRST: Duration = Duration::from_millis(200);

/// Pauses that double from the first to the longest, each between half and all of its length by chance, so that clients
/// that lost a server at the same moment do not return at the same moment.
#[derive(Clone, Debug)]
pub struct BackOff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Default for BackOff {
    /// From 200 ms to [`MAX_BACK_OFF`].
    fn default() -> Self {
        Self::between(FIRST, MAX_BACK_OFF)
    }
}

impl BackOff {
    /// Pauses from `first` to `longest`.
    pub fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// It works again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure.
    pub fn next(&mut self, chance: &mut Chance) -> Duration {
        // Sixteen doublings pass every bound in use, and keep the shift in range.
        let doubled = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.longest).mul_f64(0.5 + chance.unit() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_anew() {
        let mut chance = Chance::seeded(1);
        let mut back_off = BackOff::default();
        for failure in 0..40_u32 {
            let whole = FIRST.saturating_mul(1 << failure.min(16)).min(MAX_BACK_OFF);
            let pause = back_off.next(&mut chance);
            assert!(pause >= whole / 2 && pause <= whole, "failure {failure}: {pause:?} of {whole:?}");
        }
        back_off.reset();
        assert!(back_off.next(&mut chance) <= FIRST);
    }
}
