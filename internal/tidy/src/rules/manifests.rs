//! Every crate takes its lints, its metadata and the versions of its dependencies from the workspace, and is named
//! after its directory.

use toml::{Table, Value};

use crate::picture::{Member, Picture, line_where};
use crate::violation::Violation;

const RULE: &str = "manifests";
const INHERITED: &[&str] = &["edition", "license", "publish", "rust-version", "version"];
const DEPENDENCIES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks the manifest of every crate, and that of the workspace.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let members = picture.members.iter().flat_map(|member| of_member(picture, member));
    members.chain(picture.text("Cargo.toml").into_iter().flat_map(of_workspace)).collect()
}

fn of_member(picture: &Picture, member: &Member) -> Vec<Violation> {
    let Some((path, text)) = picture.manifest(member) else { return Vec::new() };
    let Ok(manifest) = text.parse::<Table>() else { return Vec::new() };
    let complain = |key: &str, message: String| Violation::new(RULE, &path, line_of(text, key), message);
    let mut found = Vec::new();
    if !inherits(manifest.get("lints")) {
        found.push(complain("[lints]", "add `[lints] workspace = true`".into()));
    }
    let package = manifest.get("package");
    for key in INHERITED.iter().filter(|key| !inherits(package.and_then(|package| package.get(key)))) {
        found.push(complain(key, format!("write `{key}.workspace = true`")));
    }
    let expected = expected_name(&member.dir);
    if member.name != expected {
        found.push(complain("name", format!("call the crate {expected}, after its directory")));
    }
    if member.dir.starts_with("cmd/") && !expected.starts_with("liqo") {
        found.push(complain(
            "name",
            "let the name of the directory, and so of the binary, begin with liqo".into(),
        ));
    }
    let own_version = dependencies(&manifest).into_iter().filter(|(_, value)| !inherits(Some(value)));
    found.extend(own_version.map(|(name, _)| {
        complain(
            &name,
            format!("write `{name}.workspace = true` and put its version into the workspace's Cargo.toml"),
        )
    }));
    found
}

/// The workspace pins every version, keeps the list sorted, and keeps `unsafe` out.
fn of_workspace(text: &str) -> Vec<Violation> {
    let Ok(manifest) = text.parse::<Table>() else { return Vec::new() };
    let complain =
        |key: &str, message: String| Violation::new(RULE, "Cargo.toml", line_of(text, key), message);
    let workspace = manifest.get("workspace");
    let get = |path: &[&str]| path.iter().try_fold(workspace?, |value, key| value.get(key));
    let mut found = Vec::new();
    for (name, value) in get(&["dependencies"]).and_then(Value::as_table).into_iter().flatten() {
        let version = value.as_str().or_else(|| value.get("version").and_then(Value::as_str));
        if value.get("path").is_none() && !version.is_some_and(|version| version.starts_with('=')) {
            found.push(complain(name, format!("pin {name} to one version, as in `{name} = \"=1.2.3\"`")));
        }
    }
    found.extend(
        unsorted(text)
            .into_iter()
            .map(|name| complain(name, format!("keep the list sorted: move {name} up"))),
    );
    let lint = get(&["lints", "rust", "unsafe_code"]).and_then(Value::as_str);
    if !matches!(lint, Some("deny" | "forbid")) {
        found.push(complain("[workspace.lints.rust]", "deny unsafe_code for the whole workspace".into()));
    }
    found
}

/// Dependencies of the workspace that stand below one they should stand above; an empty line begins a new list.
fn unsorted(text: &str) -> Vec<&str> {
    let section = text.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let section = section.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    let names: Vec<_> = section.map(|line| line.split([' ', '.', '=']).next().unwrap_or_default()).collect();
    let pairs = names.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.filter(|(above, below)| !below.is_empty() && above > below).map(|(_, below)| below).collect()
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn expected_name(dir: &str) -> String {
    let last = dir.rsplit('/').next().unwrap_or(dir);
    if dir.starts_with("cmd/") { last.to_owned() } else { format!("liqo-{last}") }
}

/// All dependencies of a manifest, those of single platforms included.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let sections = std::iter::once(manifest).chain(platforms);
    let tables =
        sections.flat_map(|section| DEPENDENCIES.iter().filter_map(|name| section.get(*name)?.as_table()));
    tables.flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn line_of(text: &str, key: &str) -> usize {
    line_where(text, |line| line.trim_start().starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]
name = \"liqo-model\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
serde.workspace = true
toml = { workspace = true, features = [\"parse\"] }

[target.'cfg(unix)'.dependencies]
rustix.workspace = true

[lints]
workspace = true
";

    fn complaints(dir: &str, manifest: &str) -> Vec<(usize, String)> {
        let path = format!("{dir}/Cargo.toml");
        let picture = Picture::of(&[(path.as_str(), manifest)]).with_member(dir, &[]);
        check(&picture).into_iter().map(|violation| (violation.line, violation.message)).collect()
    }

    fn one_complaint(good: &str, bad: &str, part: &str) {
        assert!(GOOD.contains(good));
        let found = complaints("state/model", &GOOD.replace(good, bad));
        assert!(matches!(found.as_slice(), [(_, message)] if message.contains(part)), "{found:?}");
    }

    #[test]
    fn an_inheriting_manifest_is_good() {
        assert_eq!(complaints("state/model", GOOD), []);
    }

    #[test]
    fn everything_own_is_refused() {
        one_complaint("[lints]\nworkspace = true", "[lints.clippy]\nall = \"allow\"", "[lints]");
        one_complaint("version.workspace = true\ned", "version = \"1.0.0\"\ned", "`version.workspace");
        one_complaint("license.workspace = true", "license = \"MIT\"", "license");
        one_complaint("serde.workspace = true", "serde = \"=1.0.0\"", "serde");
        one_complaint("rustix.workspace = true", "rustix = { path = \"../x\" }", "rustix");
    }

    #[test]
    fn crates_are_called_after_their_directories() {
        let other = Picture::of(&[("state/model/Cargo.toml", GOOD)]).with_member("state/model", &[]);
        let renamed = |name: &str, dir: &str| {
            let mut picture = other.clone();
            picture.members[0].name = name.into();
            picture.members[0].dir = dir.into();
            picture.files[0].path = format!("{dir}/Cargo.toml");
            check(&picture).len()
        };
        assert_eq!(renamed("liqo-model", "state/model"), 0);
        assert_eq!(renamed("liqoctl", "cmd/liqoctl"), 0);
        assert_eq!(renamed("model", "state/model"), 1);
        assert_eq!(renamed("liqo-liqoctl", "cmd/liqoctl"), 1);
        assert_eq!(renamed("fabric", "cmd/fabric"), 1);
    }

    #[test]
    fn the_workspace_pins_versions_and_denies_unsafe() {
        let found = |dependency: &str, lint: &str| {
            let text = format!(
                "[workspace.dependencies]\n{dependency}\n[workspace.lints.rust]\nunsafe_code = \"{lint}\"\n"
            );
            check(&Picture::of(&[("Cargo.toml", &text)])).len()
        };
        assert_eq!(found("own = { path = \"state/own\" }\nserde = \"=1.0.0\"", "deny"), 0);
        assert_eq!(found("b = \"=1.0.0\"\n\n# Ours.\na = { path = \"state/a\" }", "deny"), 0);
        assert_eq!(found("b = \"=1.0.0\"\n# Late.\na = \"=1.0.0\"", "deny"), 1);
        assert_eq!(found("serde = \"1\"", "deny"), 1);
        assert_eq!(found("serde = { version = \"1.0.0\" }", "forbid"), 1);
        assert_eq!(found("", "allow"), 1);
    }
}
