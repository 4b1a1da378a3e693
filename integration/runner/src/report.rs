//! The closing table and the line of totals.

use std::fmt::Write;

use crate::tally::Tally;
use crate::verdict::{Fault, Outcome};

/// The table of all tiers, the faults found, and, last and alone on its line, the totals.
pub(crate) fn render(outcomes: &[Outcome], faults: &[Fault]) -> String {
    let mut text = format!(
        "\n{:<8} {:>7} {:>7} {:>8} {:>8} {:>7}\n",
        "tier", "passed", "failed", "skipped", "seconds", "budget"
    );
    let mut total = Tally::default();
    for outcome in outcomes {
        total += outcome.counts();
        text.push_str(&row(outcome));
    }
    text.push('\n');
    for fault in faults {
        let _ = writeln!(text, "FAILED: {fault}"); // Writing to a String cannot fail.
    }
    let _ = writeln!(text, "{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    text
}

fn row(outcome: &Outcome) -> String {
    let Tally { passed, failed, skipped } = outcome.counts();
    let (tier, seconds, budget) = (outcome.tier, outcome.elapsed.as_secs_f64(), outcome.budget.seconds);
    format!("{tier:<8} {passed:>7} {failed:>7} {skipped:>8} {seconds:>8.1} {budget:>7}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::budget::Budget;
    use crate::tier::Tier;

    fn outcome(tier: Tier, passed: usize, failed: usize) -> Outcome {
        Outcome {
            tier,
            tally: Tally { passed, failed, skipped: 1 },
            elapsed: Duration::from_millis(12_340),
            budget: Budget { seconds: 120, threads: None },
            broken: None,
        }
    }

    #[test]
    fn the_last_line_is_the_totals_alone() {
        let text = render(&[outcome(Tier::Unit, 40, 0), outcome(Tier::Cluster, 2, 3)], &[]);
        assert_eq!(text.lines().last(), Some("42 passed, 3 failed, 2 skipped"));
        assert!(text.ends_with("skipped\n"));
    }

    #[test]
    fn rows_line_up_under_the_heading() {
        let text = render(&[outcome(Tier::Unit, 40, 0)], &[]);
        let lines: Vec<&str> = text.lines().skip(1).take(2).collect();
        assert_eq!(lines[0], "tier      passed  failed  skipped  seconds  budget");
        assert_eq!(lines[1], "unit          40       0        1     12.3     120");
    }

    #[test]
    fn faults_stand_between_table_and_totals() {
        let fault = Fault::Tests { tier: Tier::Cluster, failed: 3 };
        let text = render(&[outcome(Tier::Cluster, 2, 3)], &[fault]);
        assert!(text.contains("\n\nFAILED: tier cluster: 3 failed\n2 passed, 3 failed"), "{text}");
    }
}
