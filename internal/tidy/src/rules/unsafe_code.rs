//! Only the data path, which talks to the kernel, may hold `unsafe` code or allow it.

use crate::picture::Picture;
use crate::tokens::{self, Token};
use crate::violation::Violation;

const RULE: &str = "unsafe_code";
const HOME: &str = "internal/datapath/";

/// Checks every Rust file outside of the data path.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in picture.rust().filter(|(file, _)| !file.path.starts_with(HOME)) {
        let tokens = tokens::flatten(text);
        let written = tokens.iter().filter(|token| token.text == "unsafe").map(|token| token.line);
        let allowed = tokens::attributes(&tokens).into_iter().filter_map(allows_unsafe);
        found.extend(written.chain(allowed).map(|line| {
            let message =
                format!("unsafe code lives in {HOME} alone: use a safe interface, or move this there");
            Violation::new(RULE, &file.path, line, message)
        }));
    }
    found
}

/// The line on which an attribute lifts the lint against unsafe code.
fn allows_unsafe(attribute: &[Token]) -> Option<usize> {
    let lifts = attribute.iter().any(|token| matches!(token.text.as_str(), "allow" | "expect" | "warn"));
    let lint = attribute.iter().find(|token| token.text == "unsafe_code")?;
    lifts.then_some(lint.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Picture::of(&[(path, text)])).len()
    }

    #[test]
    fn safe_code_and_the_data_path_are_good() {
        assert_eq!(count("a.rs", "#![forbid(unsafe_code)]\n// unsafe\nfn f() { \"unsafe {}\"; }"), 0);
        assert_eq!(count("internal/datapath/src/lib.rs", "unsafe fn f() {}"), 0);
    }

    #[test]
    fn unsafe_code_elsewhere_is_reported() {
        for text in [
            "unsafe fn f() {}",
            "fn f() { call!({ unsafe { g() } }) }",
            "unsafe impl Send for A {}",
            "#![allow(unsafe_code)]",
            "#[cfg_attr(unix, expect(unsafe_code))] fn f() {}",
        ] {
            assert_eq!(count("state/a.rs", text), 1, "{text}");
        }
    }
}
