//! Every Rust file opens with `//!` and what it holds.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "module_docs";

/// Checks the first line of each file that is not generated.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let opens_with_doc = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty())
    };
    let silent = picture.rust().filter(|(_, text)| !opens_with_doc(text));
    silent
        .map(|(file, _)| Violation::new(RULE, &file.path, 1, "open the file with `//!` and what it holds"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_introduce_themselves_are_good() {
        let picture = Picture::of(&[
            ("a.rs", "//! A.\n"),
            ("proto/src/b.rs", "// @generated\n"),
            ("c.go", "package c\n"),
        ]);
        assert_eq!(check(&picture), []);
    }

    #[test]
    fn files_that_do_not_are_reported() {
        for text in ["fn f() {}\n", "// Not a doc.\n", "//!\n", "", "use a;\n//! Late.\n"] {
            assert_eq!(check(&Picture::of(&[("a.rs", text)])).len(), 1, "{text:?}");
        }
    }
}
