//! Network namespaces that are kept by a file of the testbed's.

use std::path::Path;

use rustix::mount::{UnmountFlags, unmount};

use crate::command::Call;
use crate::error::{Error, Result};
use crate::layout::{Layout, directory, remove_file};

/// Whether the namespace is there. A file without a namespace (its `up` was killed in between) is none.
pub(crate) fn exists(path: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|m| std::os::unix::fs::MetadataExt::dev(&m)).ok();
    match (device(path), path.parent().and_then(device)) {
        (Some(own), Some(parent)) => own != parent,
        _ => false,
    }
}

/// Makes a namespace, empty but for its loopback.
pub(super) async fn create(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
    }
    std::fs::write(path, "").map_err(Error::file("make", path))?;
    // `unshare` keeps the namespace by binding it to the file; `ip` then runs within it.
    Call::new("unshare", [&format!("--net={}", path.display()), "ip", "link", "set", "lo", "up"])
        .run()
        .await?;
    Ok(())
}

/// Removes a namespace. Its links vanish with its last process.
pub(crate) fn remove(path: &Path) -> Result<()> {
    if exists(path) {
        unmount(path, UnmountFlags::DETACH).map_err(|e| Error::file("let go of", path)(e.into()))?;
    }
    remove_file(path)
}

/// The names of all namespaces of the testbed.
pub(crate) fn names(layout: &Layout) -> Result<Vec<String>> {
    directory(&layout.run().join("netns"))
}

/// Runs lines of `ip` within a namespace, in one process.
pub(super) async fn ip(namespace: &Path, lines: &str) -> Result<()> {
    Call::new("ip", ["-batch", "-"]).in_network(namespace).input(lines).run().await?;
    Ok(())
}

/// Replaces tables of nftables within a namespace, in one transaction.
pub(super) async fn nft(namespace: &Path, rules: &str) -> Result<()> {
    Call::new("nft", ["-f", "-"]).in_network(namespace).input(rules).run().await?;
    Ok(())
}

/// Whether a link is there.
pub(super) async fn has_link(namespace: &Path, link: &str) -> bool {
    Call::new("ip", ["link", "show", link]).in_network(namespace).run().await.is_ok()
}
