//! A binary parses its flags and wires crates together in at most 200 lines.

use std::collections::BTreeMap;

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "thin_commands";
const MOST_LINES: usize = 200;

/// Adds up the source of each directory in `cmd/`.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, text) in picture.rust().filter(|(file, _)| !file.is_in_tests()) {
        let mut parts = file.path.split('/');
        if let (Some("cmd"), Some(command)) = (parts.next(), parts.next()) {
            *sizes.entry(command).or_default() += text.lines().count();
        }
    }
    let thick = sizes.into_iter().filter(|(_, lines)| *lines > MOST_LINES);
    let violation = |(command, lines)| {
        let message = format!(
            "{lines} lines, and {MOST_LINES} is the limit: move what it does to a crate in internal/"
        );
        Violation::new(RULE, &format!("cmd/{command}"), 1, message)
    };
    thick.map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_lines_are_good_and_one_more_is_not() {
        let of = |lines: usize| {
            let half = "//! Line.\n".repeat(100);
            let rest = "//! Line.\n".repeat(lines - 100);
            let elsewhere = "//! Line.\n".repeat(400);
            let files = [
                ("cmd/a/src/main.rs", half),
                ("cmd/a/src/flags.rs", rest),
                ("internal/a/src/b.rs", elsewhere),
            ];
            check(&Picture::of(&files.each_ref().map(|(path, text)| (*path, text.as_str())))).len()
        };
        assert_eq!(of(200), 0);
        assert_eq!(of(201), 1);
    }
}
