//! No text names a path of somebody's machine.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "machine_paths";

/// Directories in which people keep their files. The last part says whether the bare name gives a person away too, as
/// it does not for the home of root, which every machine and every image has.
const PLACES: &[(&str, bool)] = &[
    (concat!("/", "home"), false),
    (concat!("/", "root"), false),
    (concat!("/", "Users"), false),
    (concat!("/", "work"), true),
];

/// Checks every line of every text file.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in picture.texts() {
        for (index, line) in text.lines().enumerate() {
            let place = PLACES.iter().find(|(place, personal)| names(line, place, *personal));
            found.extend(place.map(|(place, _)| {
                let message = format!(
                    "a path in {place} exists on one machine only: use a relative path or a variable"
                );
                Violation::new(RULE, path, index + 1, message)
            }));
        }
    }
    found
}

/// The line holds the absolute path `place` or one below it.
fn names(line: &str, place: &str, personal: bool) -> bool {
    line.match_indices(place).any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + place.len()..]);
        begins_path(before) && belongs_to_somebody(after, personal)
    })
}

/// What stands before a slash does not make it the middle of a longer path.
fn begins_path(before: &str) -> bool {
    let continues = |last: char| last.is_alphanumeric() || "./_-~$*)}]>".contains(last);
    before.ends_with("://") || !before.ends_with(continues)
}

/// What follows the directory's name is its end or a path below it.
fn belongs_to_somebody(after: &str, personal: bool) -> bool {
    let mut rest = after.chars();
    match rest.next() {
        Some('/') => personal || rest.next().is_some_and(|next| next.is_alphanumeric() || next == '.'),
        next => personal && !next.is_some_and(|next| next.is_alphanumeric() || "_-.".contains(next)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `~` for the leading slash, so that the examples do not break the rule themselves.
    fn count(line: &str) -> usize {
        check(&Picture::of(&[("README.md", &line.replace('~', "/"))])).len()
    }

    #[test]
    fn paths_of_the_product_are_good() {
        for line in [
            "overlay~work",
            "{dir}~root/x",
            "~rootfs",
            "~working",
            "https://host~home/x",
            "cat ~home",
            "~work.rs",
        ] {
            assert_eq!(count(line), 0, "{line}");
        }
    }

    #[test]
    fn paths_of_a_machine_are_reported() {
        for line in [
            "~home/ann/x",
            "\"~root/.cargo\"",
            "HOME=~root/x",
            "cd ~work",
            "(~Users/ann)",
            "file://~home/ann",
        ] {
            assert_eq!(count(line), 1, "{line}");
        }
    }
}
