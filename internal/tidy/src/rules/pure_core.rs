//! The state is computed without waiting: nothing in `state/` is `async` but the log, and each pure crate has clippy
//! settings of its own that ban clocks, randomness and the environment.

use crate::arrow_table::PURE;
use crate::picture::Picture;
use crate::tokens;
use crate::violation::Violation;

const RULE: &str = "pure_core";

/// Checks the source of `state/` and the settings beside it.
pub fn check(picture: &Picture) -> Vec<Violation> {
    waits(picture).into_iter().chain(without_settings(picture)).collect()
}

fn waits(picture: &Picture) -> Vec<Violation> {
    let state = picture
        .rust()
        .filter(|(file, _)| file.path.starts_with("state/") && !file.path.starts_with("state/log/"));
    let mut found = Vec::new();
    for (file, text) in state {
        let tokens = tokens::flatten(text);
        let lines = tokens.iter().filter(|token| token.text == "async").map(|token| token.line);
        let message = "the state never waits: return a command, and let an adapter carry it out";
        found.extend(lines.map(|line| Violation::new(RULE, &file.path, line, message)));
    }
    found
}

fn without_settings(picture: &Picture) -> Vec<Violation> {
    let pure = picture.members.iter().filter(|member| PURE.contains(&member.dir.as_str()));
    let paths =
        pure.map(|member| format!("{}/.clippy.toml", member.dir)).filter(|path| !picture.has_file(path));
    let message =
        "add this file, and ban clocks, randomness, the environment and the order of hash maps in it";
    paths.map(|path| Violation::new(RULE, &path, 1, message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_computes_is_good() {
        let files = [
            ("state/model/.clippy.toml", ""),
            ("state/model/src/lib.rs", "// async\nfn f() {}"),
            ("state/log/src/lib.rs", "async fn f() {}"),
            ("internal/a/src/lib.rs", "async fn f() {}"),
        ];
        let picture = Picture::of(&files).with_member("state/model", &[]).with_member("state/log", &[]);
        assert_eq!(check(&picture), []);
    }

    #[test]
    fn a_core_that_waits_or_has_no_settings_is_reported() {
        let picture = Picture::of(&[("state/model/src/lib.rs", "fn f() {\n    async {}\n}")]);
        let found = check(&picture.with_member("state/model", &[]));
        let places: Vec<_> = found.iter().map(|found| (found.file.as_str(), found.line)).collect();
        assert_eq!(places, [("state/model/src/lib.rs", 2), ("state/model/.clippy.toml", 1)]);
    }
}
