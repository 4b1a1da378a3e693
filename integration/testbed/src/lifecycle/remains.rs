//! What runs or lies about of nodes: found by marks and places, not by records, so it is found also after an `up` that
//! was killed half-way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};
use crate::layout::{Layout, directory};
use crate::node::NodeProcess;
use crate::node::process::{marked, orphans};

/// From SIGKILL to the end of the last process of a node. The kernel ends a process namespace in milliseconds, but
/// processes in a disk wait hold it up.
const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// The directories of all clusters, with or without a record.
pub(super) fn clusters(layout: &Layout) -> Result<Vec<String>> {
    directory(&layout.clusters())
}

/// The directories of a cluster's nodes, with or without a plan.
pub(super) fn nodes(cluster: &Path) -> Result<Vec<PathBuf>> {
    let nodes = cluster.join("nodes");
    Ok(directory(&nodes)?.into_iter().map(|name| nodes.join(name)).collect())
}

/// Ends every process of the nodes below `root` at once: SIGKILL to all that carry the mark. Among them is the first
/// process of each node's process namespace, and with it the kernel ends those of the pods, which carry none; it is gone
/// only when they are.
///
/// # Errors
/// [`Error::Timeout`] when one does not end.
pub(crate) async fn power_off(root: &Path) -> Result<()> {
    end(|| marked(root), &root.display().to_string()).await
}

/// Ends what a command that was killed had called and that goes on without it, such as the copying of images. The caller
/// holds the lock, so no other command is meant.
///
/// # Errors
/// [`Error::Timeout`] when one does not end.
pub(super) async fn end_orphans() -> Result<()> {
    end(orphans, "a testbed command that was killed").await
}

async fn end(find: impl Fn() -> Vec<NodeProcess>, whose: &str) -> Result<()> {
    let ended = async {
        loop {
            let mut left = find();
            if left.is_empty() {
                // A process that is just becoming another program shows no environment for a moment.
                tokio::time::sleep(POLL).await;
                left = find();
            }
            if left.is_empty() {
                return;
            }
            for pid in left.iter().filter_map(|process| Pid::from_raw(process.pid)) {
                // It may have ended since.
                let _ = kill_process(pid, Signal::KILL);
            }
            while left.iter().any(|process| process.runs()) {
                tokio::time::sleep(POLL).await;
            }
        }
    };
    tokio::time::timeout(LIMIT, ended).await.map_err(|_| Error::Timeout {
        what: format!("the end of all processes of {whose}"),
        limit: LIMIT,
        hint: "one of them hangs in the kernel: see `dmesg`".into(),
    })
}
