//! Clusters go down, and nothing of them stays.

use std::path::Path;

use super::lock::Lock;
use super::remains;
use crate::error::Result;
use crate::layout::{Layout, remove_file, remove_tree};
use crate::model::{ClusterName, ClusterRecord};
use crate::network;
use crate::node::cgroup;
use crate::progress::Progress;

/// Takes clusters down: those named, or with no name all of them with everything that the testbed ever made outside of
/// its cache. Returns the names of those that there were.
///
/// # Errors
/// [`crate::Error`] of the first thing that could not be removed. Calling it again goes on from there.
pub(crate) async fn down(layout: &Layout, names: &[ClusterName], progress: &Progress) -> Result<Vec<String>> {
    crate::preflight::privileges()?;
    let _lock = Lock::take(layout, progress).await?;
    let present = remains::clusters(layout)?;
    let wanted: Vec<String> = if names.is_empty() {
        present
    } else {
        for name in names.iter().filter(|name| !present.contains(&name.to_string())) {
            layout.record(name)?;
        }
        names.iter().map(ToString::to_string).collect()
    };
    let all = names.is_empty();
    let results =
        futures::future::join_all(wanted.iter().map(|name| take_down(layout, name, progress))).await;
    results.into_iter().collect::<Result<Vec<()>>>()?;
    let records = layout.readable_records()?;
    if all || remains::clusters(layout)?.is_empty() {
        remove_rest(layout).await?;
    } else {
        let cuts = network::read_cuts(layout)?;
        network::apply_cuts(layout, &records, &cuts).await?;
    }
    Ok(wanted)
}

async fn take_down(layout: &Layout, name: &str, progress: &Progress) -> Result<()> {
    let task = progress.task(name);
    task.step("ending processes");
    let cluster = layout.clusters().join(name);
    let nodes = remains::nodes(&cluster)?;
    remains::power_off(&cluster).await?;
    task.step("removing links, control groups and files");
    if let Some(record) = layout.readable_records()?.into_iter().find(|r| r.spec.name.as_str() == name) {
        unplug(layout, &record).await?;
    }
    for node in nodes.iter().filter_map(|node| node.file_name()?.to_str()) {
        cgroup::remove(Some(node)).await?;
    }
    let removed = cluster.clone();
    remove(&removed).await?;
    task.done("down");
    Ok(())
}

async fn unplug(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    for ordinal in 0..record.spec.node_names().len() {
        network::unplug(&network::NodeLink::of(layout, record, ordinal)).await?;
        remove_file(&layout.socket(&record.spec.name.node(ordinal)))?;
    }
    network::remove_balancer_routes(layout, record).await?;
    if record.spec.behind_nat {
        network::remove_router(layout, record).await?;
    }
    Ok(())
}

/// Everything that belongs to no cluster: the switch, the rest of an `up` that had not come to write a record, the
/// directories.
async fn remove_rest(layout: &Layout) -> Result<()> {
    remains::power_off(layout.state()).await?;
    network::remove_switch(layout).await?;
    for name in network::names(layout)? {
        network::remove(&layout.netns(&name))?;
    }
    cgroup::remove(None).await?;
    // The state directory may be one that the user named and keeps other things in.
    remove(&layout.clusters()).await?;
    let _ = std::fs::remove_dir(layout.state());
    remove(layout.run()).await
}

/// Thousands of files of images and etcd: not on the thread that drives everything else.
async fn remove(path: &Path) -> Result<()> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || remove_tree(&path)).await.unwrap_or(Ok(()))
}
