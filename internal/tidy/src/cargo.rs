//! The crates of the workspace, as cargo itself understands their manifests.

use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

use crate::disk::Error;
use crate::picture::{Dependency, Member, Target};

/// Asks cargo for the workspace at `root`, never the network.
pub(crate) fn members(root: &Path) -> Result<Vec<Member>, Error> {
    let mut options = vec!["--offline".to_owned()];
    options.extend(root.join("Cargo.lock").exists().then(|| "--locked".to_owned()));
    let mut command = MetadataCommand::new();
    // Direct dependencies are enough for every rule, and without the resolved graph no crate needs to be downloaded.
    command.current_dir(root).no_deps().other_options(options);
    let metadata = command.exec().map_err(|error| Error::Metadata(Box::new(error)))?;
    Ok(metadata.workspace_packages().into_iter().map(|package| member(&metadata, package)).collect())
}

fn member(metadata: &Metadata, package: &Package) -> Member {
    let from_root = |path: &Path| {
        let path = path.strip_prefix(&metadata.workspace_root).unwrap_or(path);
        path.to_string_lossy().into_owned()
    };
    let dependency = |dependency: &cargo_metadata::Dependency| Dependency {
        name: dependency.name.clone(),
        dev: dependency.kind == DependencyKind::Development,
    };
    let target = |target: &cargo_metadata::Target| Target {
        path: from_root(target.src_path.as_std_path()),
        test: target.kind.iter().any(|kind| matches!(kind, TargetKind::Test | TargetKind::Bench)),
    };
    Member {
        name: package.name.to_string(),
        dir: package.manifest_path.parent().map(|dir| from_root(dir.as_std_path())).unwrap_or_default(),
        dependencies: package.dependencies.iter().map(dependency).collect(),
        targets: package.targets.iter().map(target).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_crate_is_found_with_its_targets_and_dependencies() {
        let members = members(&crate::disk::root()).unwrap();
        let own = members.iter().find(|member| member.name == "liqo-tidy").unwrap();
        assert_eq!(own.dir, "internal/tidy");
        let kind =
            |name: &str| own.dependencies.iter().find(|other| other.name == name).map(|other| other.dev);
        assert_eq!((kind("syn"), kind("tempfile"), kind("tokio")), (Some(false), Some(true), None));
        let root =
            |path: &str| own.targets.iter().find(|target| target.path == path).map(|target| target.test);
        assert_eq!(root("internal/tidy/src/lib.rs"), Some(false));
        assert_eq!(root("internal/tidy/tests/repository.rs"), Some(true));
    }
}
