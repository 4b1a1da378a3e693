//! Images get into running clusters.

use std::path::Path;

use crate::error::{Error, Result};
use crate::exec;
use crate::layout::Layout;
use crate::model::ClusterName;

/// Imports an image archive on every node of a cluster and returns what containerd said.
///
/// # Errors
/// [`Error::Invalid`] for a cluster that does not exist or has no nodes, or a file that is no image archive.
pub(crate) async fn load(layout: &Layout, name: &ClusterName, archive: &Path) -> Result<String> {
    let record = layout.record(name)?;
    let invalid = |problem: &str, fix: &str| Error::Invalid {
        what: "image archive",
        value: archive.display().to_string(),
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    };
    if record.spec.control_plane_only() {
        return Err(invalid(
            "cannot be loaded into a cluster without nodes",
            "start it without --control-plane-only",
        ));
    }
    if !archive.is_file() {
        return Err(invalid(
            "is not a file",
            "name an archive as written by `docker save` or the OCI image writer",
        ));
    }
    let command = ["ctr", "-n", "k8s.io", "images", "import", "-"].map(str::to_owned);
    let nodes = record.spec.node_names();
    let imports = nodes.iter().map(|node| exec::run_with(layout, node.as_str(), &command, Some(archive)));
    let outputs = futures::future::join_all(imports).await;
    let outputs = outputs.into_iter().collect::<Result<Vec<_>>>()?;
    match outputs.iter().find(|output| !output.success) {
        Some(failed) => Err(invalid(
            &format!(
                "is refused by containerd ({})",
                failed.stderr.trim().lines().last().unwrap_or("no reason given")
            ),
            "name an archive as written by `docker save` or the OCI image writer",
        )),
        None => Ok(outputs.into_iter().next().map(|output| output.stdout).unwrap_or_default()),
    }
}
