//! Chance, as an argument.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of chance for jitter; nothing secret comes from it.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// The same seed gives the same numbers.
    pub fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Another source, which follows from this one and shares nothing with it afterwards.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self::seeded(self.0.random())
    }

    /// A number from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// `middle`, up to `share` of it more or less.
    pub fn around(&mut self, middle: Duration, share: f64) -> Duration {
        let factor = 1.0 + share * (2.0 * self.unit() - 1.0);
        middle.mul_f64(factor.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_around_stays_within_its_share() {
        let mut chance = Chance::seeded(7);
        let middle = Duration::from_secs(1800);
        for _ in 0..1000 {
            let found = chance.around(middle, 0.2);
            assert!(found >= Duration::from_secs(1440) && found <= Duration::from_secs(2160), "{found:?}");
        }
    }
}
