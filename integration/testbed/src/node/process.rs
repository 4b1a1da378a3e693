//! The supervisor's process as the machine sees it, told apart from a later process with the same number.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::{MARK, directory};
use crate::command::CALLER;
use crate::error::{Error, Result};
use crate::layout::write_file;

/// A process of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeProcess {
    /// Its number in the machine's process namespace.
    pub pid: i32,
    /// Its start in clock ticks since boot: with the number it names one process for ever.
    started: u64,
}

impl NodeProcess {
    /// This process. Called before the node's own `/proc` is mounted, while `/proc/self` still is the machine's view.
    pub(crate) fn current() -> Result<Self> {
        let link = Path::new("/proc/self");
        let target = std::fs::read_link(link).map_err(Error::file("read", link))?;
        let pid = target.to_string_lossy().parse().unwrap_or_default();
        start_of(pid).map(|started| Self { pid, started }).ok_or_else(|| Error::Machine {
            problem: "/proc/self is not readable".into(),
            fix: "mount /proc".into(),
        })
    }

    /// The process as text that names it for ever: its process namespace, its number, its start.
    pub(crate) fn to_mark(self) -> Result<String> {
        Ok(format!("{}:{}:{}", namespace()?, self.pid, self.started))
    }

    fn from_mark(text: &str) -> Option<(u64, Self)> {
        let mut parts = text.split(':');
        let (namespace, pid, started) = (parts.next()?, parts.next()?, parts.next()?);
        Some((namespace.parse().ok()?, Self { pid: pid.parse().ok()?, started: started.parse().ok()? }))
    }

    pub(crate) fn write(self, node: &Path) -> Result<()> {
        let text =
            serde_json::to_vec(&self).map_err(|e| Error::file("write", node)(std::io::Error::other(e)))?;
        write_file(&node.join(directory::PROCESS), text)
    }

    /// The supervisor of the node in this directory, if it runs.
    pub(crate) fn of(node: &Path) -> Option<Self> {
        let text = std::fs::read(node.join(directory::PROCESS)).ok()?;
        let process: Self = serde_json::from_slice(&text).ok()?;
        process.runs().then_some(process)
    }

    /// Whether it still runs.
    pub(crate) fn runs(self) -> bool {
        start_of(self.pid) == Some(self.started)
    }
}

/// The process namespace that numbers are of.
fn namespace() -> Result<u64> {
    let path = Path::new("/proc/self/ns/pid");
    std::fs::metadata(path).map(|m| m.ino()).map_err(Error::file("read", path))
}

/// When a process started; none when there is no such process, or only its remains.
fn start_of(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, the second field, may hold anything; fields are counted from its closing bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (*fields.first()? != "Z").then(|| fields.get(19)?.parse().ok())?
}

/// The processes that carry the mark of a node below `state`, whatever else is known of them. One that is ending carries
/// it no more, since its memory is gone first: who waits for an end has to remember the process.
pub(crate) fn marked(state: &Path) -> Vec<NodeProcess> {
    with_environment(MARK, |value| Path::new(value).starts_with(state))
}

/// The programs that a testbed called which was then killed: they would go on making things.
pub(crate) fn orphans() -> Vec<NodeProcess> {
    // The load balancer's calls carry a number of their node's process namespace: those are not ours to judge.
    let Ok(namespace) = namespace() else { return Vec::new() };
    with_environment(CALLER, |value| {
        NodeProcess::from_mark(value).is_some_and(|(own, caller)| own == namespace && !caller.runs())
    })
}

/// The processes whose environment has this variable with a value that matches.
fn with_environment(name: &str, matches: impl Fn(&str) -> bool) -> Vec<NodeProcess> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let prefix = format!("{name}=");
    pids.filter_map(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let value = environment
            .split(|byte| *byte == 0)
            .find_map(|entry| std::str::from_utf8(entry).ok()?.strip_prefix(prefix.as_str()))?;
        let started = matches(value).then(|| start_of(pid))??;
        Some(NodeProcess { pid, started })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_number_and_start() {
        let this = NodeProcess::current().unwrap();
        assert!(this.runs());
        assert!(!NodeProcess { started: this.started + 1, ..this }.runs());
    }

    #[test]
    fn a_program_is_an_orphan_when_its_caller_is_gone() {
        let own = NodeProcess::current().unwrap();
        let gone = NodeProcess { started: own.started + 1, ..own };
        let elsewhere = format!("1{}", gone.to_mark().unwrap());
        let child =
            |mark: String| std::process::Command::new("sleep").arg("60").env(CALLER, mark).spawn().unwrap();
        let mut children = [gone.to_mark().unwrap(), own.to_mark().unwrap(), elsewhere].map(child);
        let found: Vec<i32> = orphans().iter().map(|process| process.pid).collect();
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let is_found: Vec<bool> = children.iter().map(|child| found.contains(&(child.id() as i32))).collect();
        assert_eq!(is_found, [true, false, false]);
    }

    #[test]
    fn a_marked_process_is_found() {
        let root = tempfile::tempdir().unwrap();
        let node = root.path().join("n");
        let mut child = std::process::Command::new("sleep").arg("60").env(MARK, &node).spawn().unwrap();
        let found = marked(root.path());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [child.id() as i32]);
        assert!(!found[0].runs());
    }
}
