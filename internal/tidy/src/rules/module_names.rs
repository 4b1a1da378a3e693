//! No module has a name that says nothing about what it holds.

use syn::ItemMod;
use syn::visit::{self, Visit};

use crate::picture::Picture;
use crate::syntax;
use crate::violation::Violation;

const RULE: &str = "module_names";
const FORBIDDEN: &[&str] =
    &["common", "handler", "handlers", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];

/// Checks the parts of every Rust file's path, and every `mod` item.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in picture.rust() {
        let mut parts = file.path.trim_end_matches(".rs").split('/');
        found.extend(parts.find(|part| is_forbidden(part)).map(|name| violation(&file.path, 1, name)));
        let mut names = Names::default();
        if let Some(parsed) = syntax::parse(text) {
            names.visit_file(&parsed);
        }
        found.extend(names.found.iter().map(|(line, name)| violation(&file.path, *line, name)));
    }
    found
}

fn is_forbidden(name: &str) -> bool {
    FORBIDDEN.contains(&name)
}

fn violation(file: &str, line: usize, name: &str) -> Violation {
    Violation::new(RULE, file, line, format!("name the module after its concept, not {name}"))
}

#[derive(Default)]
struct Names {
    found: Vec<(usize, String)>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let name = module.ident.to_string();
        if is_forbidden(&name) {
            self.found.push((module.ident.span().start().line, name));
        }
        visit::visit_item_mod(self, module);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_names_are_good() {
        let picture = Picture::of(&[(
            "cmd/liqo-controller-manager/src/utilities.rs",
            "mod peering { mod quota {} }\n",
        )]);
        assert_eq!(check(&picture), []);
    }

    #[test]
    fn empty_names_are_reported_as_file_directory_and_item() {
        let lines = |path, text| {
            check(&Picture::of(&[(path, text)])).iter().map(|found| found.line).collect::<Vec<_>>()
        };
        assert_eq!(lines("a/utils.rs", ""), [1]);
        assert_eq!(lines("a/helpers/mod.rs", ""), [1]);
        assert_eq!(lines("a/lib.rs", "\nmod b {\n    mod common {}\n}\n"), [3]);
        assert_eq!(lines("a/lib.rs", "mod manager;\n"), [1]);
    }
}
