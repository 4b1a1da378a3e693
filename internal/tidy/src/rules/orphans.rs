//! Every Rust file is compiled: a target's root, or reached from one through `mod` items.

use crate::module_tree;
use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "orphans";

/// Reports the files that no target reaches.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let reached = module_tree::reached(picture);
    let orphans = picture.files.iter().filter(|file| file.is_rust() && !reached.contains(file));
    let message = "no target reaches this file: name it in a `mod` item or remove it";
    orphans.map(|file| Violation::new(RULE, &file.path, 1, message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_files_are_good() {
        let picture = Picture::of(&[("state/a/src/b.rs", ""), ("state/a/src/lib.rs", "mod b;")]);
        assert_eq!(check(&picture.with_member("state/a", &[])), []);
    }

    #[test]
    fn files_that_nothing_names_are_reported() {
        let picture =
            Picture::of(&[("state/a/src/b.rs", ""), ("state/a/src/lib.rs", "// mod b;"), ("x.rs", "")]);
        let files: Vec<_> =
            check(&picture.with_member("state/a", &[])).into_iter().map(|found| found.file).collect();
        assert_eq!(files, ["state/a/src/b.rs", "x.rs"]);
    }
}
