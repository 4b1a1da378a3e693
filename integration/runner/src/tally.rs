//! What the tests print, counted.

use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// What one line of output tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    /// libtest's summary of one test binary, in which skipped tests count as passed.
    Result { passed: usize, failed: usize, ignored: usize },
    /// `SKIPPED: <test>: <reason>`, which a test prints before it returns for lack of a privilege.
    Skip,
}

impl Tally {
    /// The counts that the output of test binaries tells.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tally = Self::default();
        let mut returned_early = 0;
        for line in lines.into_iter().filter_map(parse) {
            match line {
                Line::Result { passed, failed, ignored } => {
                    tally += Self { passed, failed, skipped: ignored };
                }
                Line::Skip => returned_early += 1,
            }
        }
        tally.passed = tally.passed.saturating_sub(returned_early);
        tally.skipped += returned_early;
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

fn parse(line: &str) -> Option<Line> {
    parse_skip(line).or_else(|| parse_result(line))
}

fn parse_skip(line: &str) -> Option<Line> {
    let (test, reason) = line.strip_prefix("SKIPPED: ")?.split_once(": ")?;
    (!test.trim().is_empty() && !reason.trim().is_empty()).then_some(Line::Skip)
}

fn parse_result(line: &str) -> Option<Line> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count =
        |name: &str| counts.split("; ").find_map(|count| count.strip_suffix(name)?.trim_end().parse().ok());
    Some(Line::Result { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSED: &str =
        "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s";
    const FAILED: &str =
        "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";

    #[test]
    fn results_of_several_binaries_add_up_and_ignored_tests_are_skipped() {
        let tally = Tally::of(["running 8 tests", PASSED, "", "error: test failed", FAILED]);
        assert_eq!(tally, Tally { passed: 10, failed: 2, skipped: 1 });
    }

    #[test]
    fn a_test_that_returned_early_moves_from_passed_to_skipped() {
        let skip = "SKIPPED: pods_reach_services: needs root, and the user is 1000";
        assert_eq!(Tally::of([skip, PASSED]), Tally { passed: 6, failed: 0, skipped: 2 });
    }

    #[test]
    fn a_reason_may_hold_colons() {
        assert_eq!(parse("SKIPPED: masquerade: modprobe: not found"), Some(Line::Skip));
    }

    #[test]
    fn other_lines_count_nothing() {
        let lines = [
            "",
            "SKIPPED: no reason",
            "SKIPPED: test: ",
            "  SKIPPED: test: indented",
            "test result: ok.",
            "test result: ok. many passed; 0 failed; 0 ignored",
            "test result: ok. 1 passed; 0 failed",
            "1 passed, 0 failed",
        ];
        assert_eq!(Tally::of(lines), Tally::default());
    }

    #[test]
    fn skips_without_a_result_do_not_wrap_around() {
        assert_eq!(Tally::of(["SKIPPED: a: b"]), Tally { passed: 0, failed: 0, skipped: 1 });
    }
}
