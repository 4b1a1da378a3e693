//! The top level of the repository holds what its layout names, and nothing else.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "top_level";

/// Names that begin with a dot are free: tools look for their settings there.
const ALLOWED: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "cmd",
    "deploy",
    "grafana",
    "integration",
    "internal",
    "proto",
    "rust-toolchain.toml",
    "state",
];

/// Reports the first file of every entry that does not belong.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found: Vec<Violation> = Vec::new();
    let mut last = "";
    for file in &picture.files {
        let entry = file.path.split('/').next().unwrap_or_default();
        if entry != last && !entry.starts_with('.') && !ALLOWED.contains(&entry) {
            let message = format!("{entry} is no entry of the top level: move it below {}", directories());
            found.push(Violation::new(RULE, &file.path, 1, message));
        }
        last = entry;
    }
    found
}

fn directories() -> String {
    let directories =
        ALLOWED.iter().filter(|name| name.starts_with(char::is_lowercase) && !name.contains('.'));
    directories.map(|name| format!("{name}/")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_entries_and_dotfiles_are_good() {
        let picture =
            Picture::of(&[(".ci/run", ""), (".gitignore", ""), ("Makefile", ""), ("state/a.rs", "")]);
        assert_eq!(check(&picture), []);
    }

    #[test]
    fn other_entries_are_reported_once() {
        let picture = Picture::of(&[("notes.txt", ""), ("scripts/a.sh", ""), ("scripts/b.sh", "")]);
        let files: Vec<_> = check(&picture).into_iter().map(|violation| violation.file).collect();
        assert_eq!(files, ["notes.txt", "scripts/a.sh"]);
    }
}
