//! Which test targets the workspace has, by tier.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{Metadata, MetadataCommand, Target};

use crate::error::RunnerError;
use crate::tier::Tier;

/// The part of the workspace's metadata that running its tests takes.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The `testbed` binary that tests start, as a link that `make build` makes.
    pub(crate) testbed: PathBuf,
    /// What there is to test.
    pub(crate) targets: Targets,
}

/// What there is to test.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Targets {
    /// Integration test targets; a name that several packages use runs in each of them.
    by_tier: BTreeMap<Tier, BTreeSet<String>>,
    /// Whether a library has doc tests; without one `cargo test --doc` is an error.
    pub(crate) has_doc_tests: bool,
}

impl Workspace {
    /// Asks cargo about the workspace that the current folder is in.
    pub(crate) fn read() -> Result<Self, RunnerError> {
        let metadata = MetadataCommand::new().no_deps().exec().map_err(RunnerError::Metadata)?;
        Ok(Self {
            root: metadata.workspace_root.clone().into(),
            testbed: metadata.target_directory.join("bin/testbed").into(),
            targets: Targets::of(&metadata),
        })
    }
}

impl Targets {
    /// The names of the integration test targets of `tier`, sorted.
    pub(crate) fn of_tier(&self, tier: Tier) -> impl Iterator<Item = &str> {
        self.by_tier.get(&tier).into_iter().flatten().map(String::as_str)
    }

    fn of(metadata: &Metadata) -> Self {
        let mut targets = Self::default();
        for target in metadata.workspace_packages().iter().flat_map(|package| &package.targets) {
            targets.add(target);
        }
        targets
    }

    fn add(&mut self, target: &Target) {
        if target.is_test() && target.test {
            self.by_tier.entry(Tier::of_target(&target.name)).or_default().insert(target.name.clone());
        }
        self.has_doc_tests |= target.doctest && !target.is_test();
    }
}

#[cfg(test)]
impl Targets {
    /// Integration test targets by these names, for tests.
    pub(crate) fn named(names: &[&str], has_doc_tests: bool) -> Self {
        let mut targets = Self { has_doc_tests, ..Self::default() };
        for name in names {
            targets.by_tier.entry(Tier::of_target(name)).or_default().insert((*name).to_owned());
        }
        targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, kind: &str, doctest: bool) -> Target {
        let text = format!(
            r#"{{ name = "{name}", kind = ["{kind}"], crate_types = ["bin"], required_features = [],
                 src_path = "/a.rs", edition = "2024", doctest = {doctest}, test = true, doc = true }}"#
        );
        let document = format!("target = {}", text.replace('\n', " "));
        let mut table: BTreeMap<String, Target> = toml::from_str(&document).unwrap();
        table.remove("target").unwrap()
    }

    #[test]
    fn only_integration_tests_are_targets_of_a_tier() {
        let mut targets = Targets::default();
        for (name, kind) in [("testbed", "bin"), ("cluster_pods", "test"), ("layering", "test")] {
            targets.add(&target(name, kind, false));
        }
        assert_eq!(targets.of_tier(Tier::Cluster).collect::<Vec<_>>(), ["cluster_pods"]);
        assert_eq!(targets.of_tier(Tier::Unit).collect::<Vec<_>>(), ["layering"]);
        assert_eq!(targets.of_tier(Tier::Api).count(), 0);
        assert!(!targets.has_doc_tests);
    }

    #[test]
    fn a_library_has_doc_tests() {
        let mut targets = Targets::default();
        targets.add(&target("liqo_testbed", "lib", true));
        assert!(targets.has_doc_tests);
    }

    #[test]
    fn this_workspace_is_readable() {
        let workspace = Workspace::read().unwrap();
        assert!(workspace.root.join("integration/budget.toml").is_file());
        assert!(workspace.testbed.ends_with("bin/testbed"));
    }
}
