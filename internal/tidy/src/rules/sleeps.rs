//! Tests wait for what they expect, they do not sleep and hope.

use crate::picture::Picture;
use crate::tokens::{self, Token};
use crate::violation::Violation;

const RULE: &str = "sleeps";

/// Checks the files in directories called `tests`.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let in_tests = picture.rust().filter(|(file, _)| file.path.split('/').any(|part| part == "tests"));
    let mut found = Vec::new();
    for (file, text) in in_tests {
        let message = "watch for the change, or wait with a deadline, instead of sleeping";
        found.extend(
            sleeps(&tokens::flatten(text)).map(|line| Violation::new(RULE, &file.path, line, message)),
        );
    }
    found
}

/// Lines that name a function `sleep` or `sleep_until`, by whatever path or import.
fn sleeps(tokens: &[Token]) -> impl Iterator<Item = usize> {
    let named = tokens.iter().filter(|token| matches!(token.text.as_str(), "sleep" | "sleep_until"));
    named.map(|token| token.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Picture::of(&[(path, text)])).len()
    }

    #[test]
    fn waiting_is_good() {
        assert_eq!(
            count("a/tests/b.rs", "// no sleep\nfn f() { exec(\"sleep 1\"); timeout(changed()); }"),
            0
        );
        assert_eq!(count("a/src/b.rs", "async fn f() { tokio::time::sleep(d).await; }"), 0);
    }

    #[test]
    fn sleeping_is_reported() {
        for text in [
            "fn f() { std::thread::sleep(d); }",
            "use tokio::time::{self, sleep};",
            "fn f() { time::sleep(d); }",
        ] {
            assert_eq!(count("a/tests/b/c.rs", text), 1, "{text}");
        }
    }
}
