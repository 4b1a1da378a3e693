//! The time budgets of `integration/budget.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use serde::Deserialize;

use crate::error::RunnerError;
use crate::tier::Tier;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// How many times its budget a tier may take before the run fails.
    pub(crate) tolerance: f64,
    tier: BTreeMap<Tier, Budget>,
}

/// What one tier may take.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// Wall time, in seconds, with everything compiled.
    pub(crate) seconds: u32,
    /// How many tests run at a time; libtest decides when this is absent.
    pub(crate) threads: Option<NonZeroU32>,
}

impl Budgets {
    /// Reads the budgets from `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, RunnerError> {
        let text =
            fs::read_to_string(path).map_err(|source| RunnerError::Read { path: path.into(), source })?;
        Self::parse(&text).map_err(|reason| RunnerError::Budget { path: path.into(), reason })
    }

    /// The budget of `tier`.
    pub(crate) fn of(&self, tier: Tier) -> Option<Budget> {
        self.tier.get(&tier).copied()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let budgets: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if !(budgets.tolerance >= 1.0 && budgets.tolerance.is_finite()) {
            return Err(format!("tolerance is {}, and must be a number of 1 or more", budgets.tolerance));
        }
        match Tier::ALL.into_iter().find(|tier| !budgets.tier.contains_key(tier)) {
            Some(tier) => Err(format!("there is no section [tier.{tier}]")),
            None => Ok(budgets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../budget.toml");

    #[test]
    fn the_file_of_this_repository_is_valid() {
        let budgets = Budgets::parse(FILE).unwrap();
        assert_eq!(budgets.of(Tier::Unit).unwrap().seconds, 120);
        assert_eq!(budgets.of(Tier::Cluster).unwrap().seconds, 300);
    }

    #[test]
    fn a_fault_is_named() {
        let faults = [
            ("tolerance = 1.5", "tolerance = 0.5", "tolerance is 0.5"),
            ("tolerance = 1.5", "tolerance = nan", "tolerance is NaN"),
            ("[tier.api]", "[tier.apis]", "apis"),
            ("threads = 2", "threads = 0", "nonzero"),
            ("seconds = 240", "minutes = 4", "minutes"),
        ];
        for (right, wrong, expected) in faults {
            let reason = Budgets::parse(&FILE.replace(right, wrong)).unwrap_err();
            assert!(reason.contains(expected), "{wrong}: {reason}");
        }
    }

    #[test]
    fn a_missing_tier_is_named() {
        let text = "tolerance = 1.5\n[tier.unit]\nseconds = 1\n";
        assert_eq!(Budgets::parse(text).unwrap_err(), "there is no section [tier.network]");
    }
}
