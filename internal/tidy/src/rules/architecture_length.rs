//! `ARCHITECTURE.md` stays short enough to be read in one sitting.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "architecture_length";
const FILE: &str = "ARCHITECTURE.md";
const MOST_LINES: usize = 300;

/// Checks the number of lines.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let lines = picture.text(FILE).map_or(0, |text| text.lines().count());
    let message =
        format!("{lines} lines, and {MOST_LINES} is the limit: move detail to the crate that it is about");
    (lines > MOST_LINES).then(|| Violation::new(RULE, FILE, MOST_LINES, message)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hundred_lines_are_good_and_one_more_is_not() {
        let of = |lines: usize| check(&Picture::of(&[(FILE, &"line\n".repeat(lines))])).len();
        assert_eq!(of(300), 0);
        assert_eq!(of(301), 1);
    }
}
