//! Control groups: one below `liqo-testbed` for each node, in every hierarchy of version 1 or in the one of version 2.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

const MOUNT: &str = "/sys/fs/cgroup";
/// The group above all nodes.
pub(crate) const PARENT: &str = "liqo-testbed";
/// The group of a node's own processes; version 2 allows processes in leaves only.
const SYSTEM: &str = "system";
/// The controllers of version 2 that a kubelet needs.
const REQUIRED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];
/// Those that it uses where it can.
const OPTIONAL: [&str; 2] = ["hugetlb", "io"];
/// A group is busy for as long as the kernel takes to let go of its last process.
const REMOVAL: Duration = Duration::from_secs(10);

/// The control group of a node as the kubelet's `--cgroup-root` names it.
pub(crate) fn path(node: &str) -> String {
    format!("/{PARENT}/{node}")
}

/// The mounted hierarchies.
fn hierarchies(mount: &Path) -> Vec<PathBuf> {
    if mount.join("cgroup.controllers").exists() {
        return vec![mount.to_owned()];
    }
    let Ok(entries) = fs::read_dir(mount) else { return Vec::new() };
    // Links are second names of joint controllers. `unified`, without controllers here, is one of them: runc uses it.
    let real = |e: &fs::DirEntry| e.file_type().is_ok_and(|t| t.is_dir());
    entries.flatten().filter(real).map(|e| e.path()).filter(|p| p.join("cgroup.procs").exists()).collect()
}

/// What the machine's control groups lack to hold a node: controllers by name, or an empty list when there are none.
pub(crate) fn missing() -> Option<Vec<&'static str>> {
    let mount = Path::new(MOUNT);
    if hierarchies(mount).is_empty() {
        return Some(Vec::new());
    }
    let Ok(available) = fs::read_to_string(mount.join("cgroup.controllers")) else { return None };
    let missing: Vec<_> =
        REQUIRED.into_iter().filter(|r| !available.split_whitespace().any(|a| a == *r)).collect();
    (!missing.is_empty()).then_some(missing)
}

/// Makes the node's group and moves this process into it.
pub(crate) fn join(node: &str) -> Result<()> {
    for hierarchy in hierarchies(Path::new(MOUNT)) {
        let mut group = hierarchy.clone();
        for name in [PARENT, node, SYSTEM] {
            delegate(&group)?;
            let parent = group.clone();
            group.push(name);
            fs::create_dir_all(&group).map_err(Error::file("make", &group))?;
            inherit(&parent, &group)?;
        }
        // "0" is the writing process, in its own numbering.
        let procs = group.join("cgroup.procs");
        fs::write(&procs, "0").map_err(Error::file("join", &procs))?;
    }
    Ok(())
}

/// Version 2: children get the controllers only when the parent hands them down.
fn delegate(group: &Path) -> Result<()> {
    let control = group.join("cgroup.subtree_control");
    let Ok(available) = fs::read_to_string(group.join("cgroup.controllers")) else { return Ok(()) };
    for controller in available.split_whitespace().filter(|c| REQUIRED.contains(c) || OPTIONAL.contains(c)) {
        let handed = fs::write(&control, format!("+{controller}"));
        if REQUIRED.contains(&controller) {
            handed.map_err(Error::file("delegate controllers in", &control))?;
        }
    }
    Ok(())
}

/// Version 1: a new cpuset is empty and takes no process.
fn inherit(parent: &Path, group: &Path) -> Result<()> {
    if group.join("cgroup.controllers").exists() {
        return Ok(());
    }
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let Ok(value) = fs::read_to_string(parent.join(file)) else { continue };
        let path = group.join(file);
        if fs::read_to_string(&path).is_ok_and(|own| own.trim().is_empty()) {
            fs::write(&path, value.trim()).map_err(Error::file("set", &path))?;
        }
    }
    if group.join("cpuset.cpus").exists() {
        let clone = group.join("cgroup.clone_children");
        fs::write(&clone, "1").map_err(Error::file("set", &clone))?;
    }
    Ok(())
}

/// Memory that the node's processes hold themselves, page cache left out, in bytes.
pub(crate) fn memory(node: &str) -> Option<u64> {
    let mount = Path::new(MOUNT);
    let (group, key) = if mount.join("cgroup.controllers").exists() {
        (mount.join(PARENT).join(node), "anon")
    } else {
        (mount.join("memory").join(PARENT).join(node), "total_rss")
    };
    let stat = fs::read_to_string(group.join("memory.stat")).ok()?;
    stat.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
}

/// Removes the group of a node, or with `None` the parent of all, once their processes are gone.
pub(crate) async fn remove(node: Option<&str>) -> Result<()> {
    for hierarchy in hierarchies(Path::new(MOUNT)) {
        let parent = hierarchy.join(PARENT);
        let group = node.map_or(parent.clone(), |node| parent.join(node));
        let deadline = tokio::time::Instant::now() + REMOVAL;
        while let Err(error) = remove_group(&group) {
            if tokio::time::Instant::now() > deadline {
                return Err(Error::file("remove the control group", &group)(error));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// Children first: a group with children cannot be removed, and its files cannot be removed at all.
fn remove_group(group: &Path) -> std::io::Result<()> {
    let Ok(entries) = fs::read_dir(group) else { return Ok(()) };
    for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
        remove_group(&entry.path())?;
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_two_is_one_hierarchy() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "cpu memory").unwrap();
        assert_eq!(hierarchies(root.path()), [root.path()]);
    }

    #[test]
    fn version_one_has_one_hierarchy_for_each_real_directory() {
        let root = tempfile::tempdir().unwrap();
        for name in ["memory", "cpu,cpuacct", "empty"] {
            fs::create_dir(root.path().join(name)).unwrap();
            if name != "empty" {
                fs::write(root.path().join(name).join("cgroup.procs"), "").unwrap();
            }
        }
        std::os::unix::fs::symlink("cpu,cpuacct", root.path().join("cpu")).unwrap();
        let mut found = hierarchies(root.path());
        found.sort();
        assert_eq!(found, [root.path().join("cpu,cpuacct"), root.path().join("memory")]);
    }

    #[test]
    fn an_empty_cpuset_takes_the_values_of_its_parent() {
        let root = tempfile::tempdir().unwrap();
        let child = root.path().join("child");
        fs::create_dir(&child).unwrap();
        for (file, value) in [("cpuset.cpus", "0-1\n"), ("cpuset.mems", "0\n")] {
            fs::write(root.path().join(file), value).unwrap();
            fs::write(child.join(file), "\n").unwrap();
        }
        inherit(root.path(), &child).unwrap();
        assert_eq!(fs::read_to_string(child.join("cpuset.cpus")).unwrap(), "0-1");
        assert_eq!(fs::read_to_string(child.join("cgroup.clone_children")).unwrap(), "1");
    }

    #[test]
    fn version_two_hands_only_known_controllers_down() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "misc pids").unwrap();
        delegate(root.path()).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap(), "+pids");
    }
}
