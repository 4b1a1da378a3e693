//! Which files the compiler reaches, found as it finds them: from the root of each target through `mod` items.

use std::collections::BTreeMap;

use syn::{Expr, Item, ItemMod, Lit, LitStr, Meta};

use crate::picture::{File, Picture};
use crate::syntax;

/// The files that some target reaches, each with whether only tests see it.
#[derive(Debug, Default)]
pub(crate) struct Reached(BTreeMap<String, bool>);

impl Reached {
    /// Some target compiles this file.
    pub(crate) fn contains(&self, file: &File) -> bool {
        self.0.contains_key(&file.path)
    }

    /// Only tests see this file, as its place or the way to it says.
    pub(crate) fn is_test(&self, file: &File) -> bool {
        file.is_in_tests() || self.0.get(&file.path).is_some_and(|test_only| *test_only)
    }
}

/// Follows the modules of every target.
pub(crate) fn reached(picture: &Picture) -> Reached {
    let mut found = BTreeMap::new();
    let roots = picture.members.iter().flat_map(|member| &member.targets);
    let mut open: Vec<_> =
        roots.map(|root| Place { path: root.path.clone(), owns_directory: true, test: root.test }).collect();
    while let Some(place) = open.pop() {
        // A file that tests reached first is looked at again when production code reaches it too.
        let known = found.get(&place.path).is_some_and(|test_only| !test_only || place.test);
        if known || !picture.has_file(&place.path) {
            continue;
        }
        found.insert(place.path.clone(), place.test);
        if let Some(file) = picture.text(&place.path).and_then(syntax::parse) {
            children(&file.items, &place, &place.children_in(), &mut open);
        }
    }
    Reached(found)
}

/// A source file as the compiler loads it.
struct Place {
    path: String,
    /// Its modules lie beside it, as for `lib.rs` and `mod.rs`; else in a directory of its own name.
    owns_directory: bool,
    test: bool,
}

impl Place {
    fn directory(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    fn children_in(&self) -> String {
        if self.owns_directory {
            return self.directory().to_owned();
        }
        self.path.trim_end_matches(".rs").to_owned()
    }
}

/// Adds the files that `items` of `parent` load; their modules are looked for in `directory`.
fn children(items: &[Item], parent: &Place, directory: &str, open: &mut Vec<Place>) {
    for item in items {
        let test = parent.test || syntax::is_test(syntax::attributes(item));
        match item {
            Item::Mod(module) => {
                submodule(module, &Place { path: parent.path.clone(), test, ..*parent }, directory, open);
            }
            Item::Macro(call) if call.mac.path.is_ident("include") => {
                if let Ok(name) = call.mac.parse_body::<LitStr>() {
                    let path = join(parent.directory(), &name.value());
                    open.push(Place { path, owns_directory: parent.owns_directory, test });
                }
            }
            _ => {}
        }
    }
}

fn submodule(module: &ItemMod, parent: &Place, directory: &str, open: &mut Vec<Place>) {
    let name = module.ident.to_string();
    let name = name.trim_start_matches("r#");
    let explicit = explicit_path(module);
    if let Some((_, items)) = &module.content {
        let inner = join(directory, explicit.as_deref().unwrap_or(name));
        return children(items, parent, &inner, open);
    }
    if let Some(path) = explicit {
        // Directly in a file the attribute counts from that file's directory, in an inline module from the module's.
        let base = if directory == parent.children_in() { parent.directory() } else { directory };
        return open.push(Place { path: join(base, &path), owns_directory: true, test: parent.test });
    }
    open.push(Place {
        path: join(directory, &format!("{name}.rs")),
        owns_directory: false,
        test: parent.test,
    });
    open.push(Place {
        path: join(directory, &format!("{name}/mod.rs")),
        owns_directory: true,
        test: parent.test,
    });
}

fn explicit_path(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(value) = &pair.value else { return None };
        let Lit::Str(path) = &value.lit else { return None };
        pair.path.is_ident("path").then(|| path.value())
    })
}

/// Joins two paths and resolves `.` and `..` in the second.
pub(crate) fn join(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Vec<(String, bool)> {
        reached(&Picture::of(files).with_member("state/a", &[])).0.into_iter().collect()
    }

    #[test]
    fn modules_are_followed_in_both_styles_and_by_path() {
        let found = tree(&[
            (
                "state/a/src/lib.rs",
                "mod b; mod c; mod inline { mod d; } #[path = \"../odd.rs\"] mod e; include!(\"f.rs\");",
            ),
            ("state/a/src/b.rs", "mod r#type;"),
            ("state/a/src/b/type.rs", ""),
            ("state/a/src/c/mod.rs", "mod g;"),
            ("state/a/src/c/g.rs", ""),
            ("state/a/src/inline/d.rs", ""),
            ("state/a/odd.rs", ""),
            ("state/a/src/f.rs", ""),
            ("state/a/src/orphan.rs", ""),
        ]);
        assert_eq!(found.len(), 8, "{found:?}");
        assert!(found.iter().all(|(path, test_only)| !path.contains("orphan") && !test_only));
    }

    #[test]
    fn a_file_is_for_tests_alone_unless_production_reaches_it_too() {
        let library = "#[cfg(test)] mod only; #[cfg(test)] #[path = \"both.rs\"] mod twice; mod both;";
        let found = tree(&[
            ("state/a/src/lib.rs", library),
            ("state/a/src/only.rs", "mod deep;"),
            ("state/a/src/only/deep.rs", ""),
            ("state/a/src/both.rs", ""),
        ]);
        let only: Vec<_> =
            found.iter().filter(|(_, test_only)| *test_only).map(|(path, _)| path.as_str()).collect();
        assert_eq!(only, ["state/a/src/only.rs", "state/a/src/only/deep.rs"]);
    }

    #[test]
    fn joins_resolve_parents() {
        assert_eq!(join("a/b", "../c/./d.rs"), "a/c/d.rs");
        assert_eq!(join("", "../x"), "../x");
    }
}
