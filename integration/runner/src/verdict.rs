//! Whether a tier that ran is good: pure judgement of figures.

use std::time::Duration;

use crate::budget::Budget;
use crate::tally::Tally;
use crate::tier::Tier;

/// A tier that ran.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) tier: Tier,
    /// What its output told.
    pub(crate) tally: Tally,
    /// Wall time from the first command line's start to the last one's end.
    pub(crate) elapsed: Duration,
    pub(crate) budget: Budget,
    /// How the first command line that did not succeed ended.
    pub(crate) broken: Option<String>,
}

/// Why a tier fails the run.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("tier {tier}: {failed} failed")]
    Tests { tier: Tier, failed: usize },
    #[error("tier {tier}: `cargo test` ended with {status}, and no test says why")]
    Broken { tier: Tier, status: String },
    #[error(
        "tier {tier}: took {taken:.0} s, over the limit of {limit:.0} s ({tolerance} times its budget of {budget} s)"
    )]
    Slow { tier: Tier, taken: f64, limit: f64, tolerance: f64, budget: u32 },
}

impl Outcome {
    /// The counts, with a test binary that died before its summary counted as one failure.
    pub(crate) fn counts(&self) -> Tally {
        let died = usize::from(self.broken.is_some() && self.tally.failed == 0);
        Tally { failed: self.tally.failed + died, ..self.tally }
    }

    /// What is wrong with the tier. Without a `tolerance` its time is not judged.
    pub(crate) fn faults(&self, tolerance: Option<f64>) -> Vec<Fault> {
        self.failure().into_iter().chain(tolerance.and_then(|tolerance| self.slowness(tolerance))).collect()
    }

    fn failure(&self) -> Option<Fault> {
        match (self.tally.failed, &self.broken) {
            (0, None) => None,
            (0, Some(status)) => Some(Fault::Broken { tier: self.tier, status: status.clone() }),
            (failed, _) => Some(Fault::Tests { tier: self.tier, failed }),
        }
    }

    fn slowness(&self, tolerance: f64) -> Option<Fault> {
        let (taken, budget) = (self.elapsed.as_secs_f64(), self.budget.seconds);
        let limit = f64::from(budget) * tolerance;
        (taken > limit).then_some(Fault::Slow { tier: self.tier, taken, limit, tolerance, budget })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(failed: usize, seconds: u64, broken: Option<&str>) -> Outcome {
        Outcome {
            tier: Tier::Api,
            tally: Tally { passed: 5, failed, skipped: 1 },
            elapsed: Duration::from_secs(seconds),
            budget: Budget { seconds: 240, threads: None },
            broken: broken.map(str::to_owned),
        }
    }

    #[test]
    fn a_tier_may_take_its_budget_times_the_tolerance() {
        assert_eq!(outcome(0, 360, None).faults(Some(1.5)), []);
    }

    #[test]
    fn a_slow_tier_fails_with_its_figures() {
        let faults = outcome(0, 361, None).faults(Some(1.5));
        assert_eq!(
            faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["tier api: took 361 s, over the limit of 360 s (1.5 times its budget of 240 s)"]
        );
    }

    #[test]
    fn a_soak_may_take_any_time() {
        assert_eq!(outcome(0, 9000, None).faults(None), []);
    }

    #[test]
    fn failed_tests_and_slowness_are_both_told() {
        assert_eq!(outcome(2, 400, Some("exit status: 101")).faults(Some(1.5)).len(), 2);
        assert_eq!(outcome(2, 1, Some("exit status: 101")).counts().failed, 2);
    }

    #[test]
    fn a_binary_that_died_is_one_failure() {
        let died = outcome(0, 1, Some("signal: 9 (SIGKILL)"));
        assert_eq!(died.counts(), Tally { passed: 5, failed: 1, skipped: 1 });
        assert_eq!(
            died.faults(Some(1.5)),
            [Fault::Broken { tier: Tier::Api, status: "signal: 9 (SIGKILL)".to_owned() }]
        );
    }
}
