//! The `cargo test` command lines of a tier.

use crate::budget::Budget;
use crate::targets::Targets;
use crate::tier::Tier;

/// Compiles all that the tiers run. It names the whole workspace, as every other line does, so that all lines use
/// the same features of the dependencies and nothing is compiled twice.
pub(crate) fn compile() -> Vec<String> {
    words(&["test", "--workspace", "--no-run"])
}

/// The command lines of `tier`, in order; none when it has no tests.
pub(crate) fn of_tier(tier: Tier, targets: &Targets, budget: Budget) -> Vec<Vec<String>> {
    match tier {
        Tier::Unit => unit(targets, budget),
        Tier::Network | Tier::Api | Tier::Cluster => privileged(tier, targets, budget),
    }
}

fn unit(targets: &Targets, budget: Budget) -> Vec<Vec<String>> {
    let mut tests = words(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    tests.extend(selected(targets, Tier::Unit));
    let mut lines = vec![tests];
    if targets.has_doc_tests {
        lines.push(words(&["test", "--workspace", "--no-fail-fast", "--doc"]));
    }
    for line in &mut lines {
        let threads = threads(budget);
        if !threads.is_empty() {
            line.push("--".to_owned());
            line.extend(threads);
        }
    }
    lines
}

/// These tests print what they wait for, and why they skip: nothing of it may be captured.
fn privileged(tier: Tier, targets: &Targets, budget: Budget) -> Vec<Vec<String>> {
    let selected: Vec<String> = selected(targets, tier).collect();
    if selected.is_empty() {
        return Vec::new();
    }
    let mut line = words(&["test", "--workspace", "--no-fail-fast"]);
    line.extend(selected);
    line.extend(words(&["--", "--nocapture"]));
    line.extend(threads(budget));
    vec![line]
}

fn selected(targets: &Targets, tier: Tier) -> impl Iterator<Item = String> {
    targets.of_tier(tier).flat_map(|name| ["--test".to_owned(), name.to_owned()])
}

fn threads(budget: Budget) -> Vec<String> {
    budget.threads.map(|threads| format!("--test-threads={threads}")).into_iter().collect()
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn lines(tier: Tier, targets: &Targets, threads: u32) -> Vec<String> {
        let budget = Budget { seconds: 1, threads: NonZeroU32::new(threads) };
        of_tier(tier, targets, budget).iter().map(|line| line.join(" ")).collect()
    }

    #[test]
    fn unit_tests_include_unprivileged_integration_tests_and_doc_tests() {
        let targets = Targets::named(&["layering", "cluster_pods"], true);
        assert_eq!(
            lines(Tier::Unit, &targets, 0),
            [
                "test --workspace --no-fail-fast --lib --bins --test layering",
                "test --workspace --no-fail-fast --doc"
            ]
        );
    }

    #[test]
    fn without_a_library_there_are_no_doc_tests() {
        assert_eq!(
            lines(Tier::Unit, &Targets::named(&[], false), 4),
            ["test --workspace --no-fail-fast --lib --bins -- --test-threads=4"]
        );
    }

    #[test]
    fn a_privileged_tier_runs_only_its_own_targets_uncaptured() {
        let targets = Targets::named(&["layering", "cluster_pods", "cluster_faults", "api_watch"], true);
        assert_eq!(
            lines(Tier::Cluster, &targets, 2),
            ["test --workspace --no-fail-fast --test cluster_faults --test cluster_pods \
              -- --nocapture --test-threads=2"]
        );
    }

    #[test]
    fn a_tier_without_tests_runs_nothing() {
        assert!(lines(Tier::Network, &Targets::named(&["layering"], true), 2).is_empty());
    }
}
