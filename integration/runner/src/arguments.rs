//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::tier::Tier;

/// Runs the test tiers with their time budgets.
#[derive(Debug, Parser)]
#[command(name = "runner", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the tiers and fail when one fails or takes too long
    Test(Selection),
    /// Run the same tests with larger numbers (LIQO_SOAK=1 tells them), without judging their time
    Soak(Selection),
}

/// Which tiers to run.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Run only this tier; may be given more than once
    #[arg(long = "tier", value_name = "NAME", value_enum)]
    tiers: Vec<Tier>,
}

impl Command {
    /// Whether the tests run with larger numbers and without a judgement of their time.
    pub(crate) fn is_soak(&self) -> bool {
        matches!(self, Self::Soak(_))
    }

    /// The chosen tiers, each once, least powerful first; all of them when none was named.
    pub(crate) fn tiers(&self) -> Vec<Tier> {
        let (Self::Test(selection) | Self::Soak(selection)) = self;
        let chosen = |tier: &Tier| selection.tiers.is_empty() || selection.tiers.contains(tier);
        Tier::ALL.into_iter().filter(chosen).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &[&str]) -> Command {
        Arguments::try_parse_from([&["runner"], line].concat()).unwrap().command
    }

    #[test]
    fn without_a_name_all_tiers_run() {
        assert_eq!(command(&["test"]).tiers(), Tier::ALL);
    }

    #[test]
    fn named_tiers_run_once_and_least_powerful_first() {
        let soak = command(&["soak", "--tier", "cluster", "--tier", "unit", "--tier", "unit"]);
        assert!(soak.is_soak());
        assert_eq!(soak.tiers(), [Tier::Unit, Tier::Cluster]);
    }

    #[test]
    fn an_unknown_tier_is_refused_with_the_known_ones() {
        let error = Arguments::try_parse_from(["runner", "test", "--tier", "e2e"]).unwrap_err().to_string();
        assert!(error.contains("e2e") && error.contains("cluster"), "{error}");
    }
}
