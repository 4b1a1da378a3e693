//! Dependencies between crates point only where [`crate::arrow_table`] lets them.

use crate::arrow_table::{ARROWS, IMPURE, KEEPERS, PURE};
use crate::picture::{Dependency, Member, Picture, line_where};
use crate::violation::Violation;

const RULE: &str = "arrows";
const TABLE: &str = "internal/tidy/src/arrow_table.rs";

/// Checks every direct dependency of every crate of the workspace.
pub fn check(picture: &Picture) -> Vec<Violation> {
    picture.members.iter().flat_map(|member| of_member(picture, member)).collect()
}

fn of_member(picture: &Picture, member: &Member) -> Vec<Violation> {
    let Some(arrow) = ARROWS.iter().find(|arrow| fits(arrow.from, &member.dir)) else {
        let message = format!(
            "no row of {TABLE} knows {}: move the crate, or add a row and give the reason in ARCHITECTURE.md",
            member.dir
        );
        return vec![at(picture, member, "", message)];
    };
    let mut found = Vec::new();
    for dependency in &member.dependencies {
        let own = picture.members.iter().find(|other| other.name == dependency.name);
        let message = match own {
            Some(own) if arrow.may_use.iter().any(|place| fits(place, &own.dir)) => None,
            Some(own) => Some(forbidden(member, own, arrow.may_use)),
            None => foreign(member, dependency),
        };
        found.extend(message.map(|message| at(picture, member, &dependency.name, message)));
    }
    found
}

fn forbidden(member: &Member, own: &Member, may_use: &[&str]) -> String {
    let allowed =
        if may_use.is_empty() { "no crate of the workspace".to_owned() } else { may_use.join(", ") };
    format!("{} may not depend on {}, only on {allowed}: move the code that needs it", member.dir, own.dir)
}

/// What is wrong with a dependency on a crate from outside, if anything is.
fn foreign(member: &Member, dependency: &Dependency) -> Option<String> {
    let name = &dependency.name;
    if let Some((_, keeper)) = KEEPERS.iter().find(|(kept, keeper)| kept == name && *keeper != member.dir) {
        return Some(format!("only {keeper} may name {name}: call it through {keeper}"));
    }
    let pure = PURE.contains(&member.dir.as_str()) && !dependency.dev;
    let impure = pure && IMPURE.iter().any(|pattern| fits(pattern, name));
    impure.then(|| {
        format!(
            "{} is pure and may not depend on {name}: move input, output and time to an adapter",
            member.dir
        )
    })
}

fn at(picture: &Picture, member: &Member, dependency: &str, message: String) -> Violation {
    let (path, text) = picture.manifest(member).unwrap_or_else(|| (format!("{}/Cargo.toml", member.dir), ""));
    let names_it = |line: &str| !dependency.is_empty() && line.trim_start().starts_with(dependency);
    Violation::new(RULE, &path, line_where(text, names_it), message)
}

/// A directory or crate name fits a pattern, in which a `*` at the end stands for anything without a `/`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(start) => name.strip_prefix(start).is_some_and(|rest| !rest.contains('/')),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place that the table names, so that dependencies between any two can be tried.
    fn complaints(from: &str, dependencies: &[&str]) -> Vec<String> {
        let picture = Picture::default()
            .with_member("cmd/liqoctl", &[])
            .with_member("integration/testbed", &[])
            .with_member("internal/engine", &[])
            .with_member("internal/identity", &[])
            .with_member("internal/kube-io", &[])
            .with_member("state/domain", &[])
            .with_member("state/model", &[])
            .with_member("state/simulator", &[])
            .with_member(from, dependencies);
        check(&picture).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn arrows_of_the_table_are_free() {
        for (from, to) in [
            ("cmd/liqo-fabric", "liqo-kube-io"),
            ("integration/runner", "liqo-testbed"),
            ("internal/kube-io", "liqo-engine"),
            ("internal/engine", "liqo-domain"),
            ("state/log", "sled"),
            ("state/events", "bincode"),
            ("internal/engine", "tokio"),
        ] {
            assert_eq!(complaints(from, &[to]), [""; 0], "{from} -> {to}");
        }
    }

    #[test]
    fn arrows_outside_of_the_table_are_refused() {
        for (from, to) in [
            ("state/model", "liqo-domain"),
            ("internal/identity", "liqo-kube-io"),
            ("internal/engine", "liqo-simulator"),
            ("internal/engine", "liqo-kube-io"),
            ("cmd/liqo-fabric", "liqo-testbed"),
            ("cmd/liqo-fabric", "liqo-liqoctl"),
            ("internal/kube-io", "bincode"),
            ("state/domain", "sled"),
            ("state/domain", "tokio"),
            ("state/model", "kube-core"),
        ] {
            assert_eq!(complaints(from, &[to]).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn a_pure_crate_may_test_with_impure_ones() {
        let mut picture = Picture::default().with_member("state/domain", &["tokio"]);
        picture.members[0].dependencies[0].dev = true;
        assert_eq!(check(&picture), []);
    }

    #[test]
    fn a_crate_in_an_unknown_place_is_refused_at_its_manifest() {
        for place in ["internal/odds", "state/model/inner", "tools"] {
            let found = check(&Picture::default().with_member(place, &[]));
            assert_eq!(found.len(), 1, "{place}");
            assert_eq!(found[0].file, format!("{place}/Cargo.toml"));
        }
    }

    #[test]
    fn the_line_is_that_of_the_dependency() {
        let manifest = "[package]\n[dependencies]\nsled.workspace = true\n";
        let picture =
            Picture::of(&[("state/model/Cargo.toml", manifest)]).with_member("state/model", &["sled"]);
        assert_eq!(check(&picture)[0].line, 3);
    }
}
