//! Clusters come up: new ones, and what is missing of those that half-run.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::time::SystemTime;

use kube::Client;

use super::boot::{Starter, write_credentials};
use super::lock::Lock;
use super::remains::power_off;
use crate::component::components;
use crate::control_plane::{
    bootstrap, client, create_nodes, is_ready, not_ready, wait_for_accounts, wait_for_api, wait_for_nodes,
};
use crate::error::{Error, Result};
use crate::layout::{Layout, write_file};
use crate::model::{ClusterRecord, ClusterSpec, free_index};
use crate::network;
use crate::node::{ComponentState, NodeClient, Verb};
use crate::preflight;
use crate::progress::{Progress, Task};

/// Brings clusters up, side by side. One that runs as asked for is left alone; one that half-runs is repaired, and its
/// faults end.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Machine`] before anything was changed; others when a cluster does not come up, which
/// then stays for a look at its logs.
pub(crate) async fn up(layout: &Layout, specs: &[ClusterSpec], progress: &Progress) -> Result<()> {
    for (i, spec) in specs.iter().enumerate() {
        spec.validate(&layout.network())?;
        if specs[..i].iter().any(|other| other.name == spec.name) {
            return Err(Error::Invalid {
                what: "cluster",
                value: spec.name.to_string(),
                problem: "is named twice".into(),
                fix: "name each cluster once".into(),
            });
        }
    }
    preflight::privileges()?;
    let _lock = Lock::take(layout, progress).await?;
    preflight::check(layout, specs).await?;
    let records = plan(layout, specs)?;
    let starter = Starter::prepare(layout, progress).await?;
    preflight::flags(&starter.binaries, specs).await?;
    // Below it are the keys of all clusters.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(layout.state())
        .map_err(Error::file("make", layout.state()))?;
    write_file(&layout.run().join("owner"), layout.state().display().to_string())?;
    network::ensure_switch(layout).await?;
    for record in &records {
        write_record(layout, record)?;
    }
    heal(layout, &records).await?;
    let results =
        futures::future::join_all(records.iter().map(|record| cluster_up(&starter, record, progress))).await;
    results.into_iter().collect()
}

/// The record of each cluster: the one that is there, or a new one.
fn plan(layout: &Layout, specs: &[ClusterSpec]) -> Result<Vec<ClusterRecord>> {
    let mut all = layout.records()?;
    if let Some(other) = all.iter().find(|r| r.network != layout.network()) {
        return Err(Error::Invalid {
            what: "LIQO_TESTBED_NETWORK",
            value: layout.network().cidr().to_string(),
            problem: format!("is not the network {} that {} is on", other.network.cidr(), other.spec.name),
            fix: "unset it, or take all clusters down first with `testbed down`".into(),
        });
    }
    let mut wanted = Vec::new();
    for spec in specs {
        if let Some(record) = all.iter().find(|r| r.spec.name == spec.name) {
            if record.spec != *spec {
                return Err(Error::Invalid {
                    what: "cluster",
                    value: spec.name.to_string(),
                    problem: "is up with other options".into(),
                    fix: format!(
                        "ask for the same ones, or take it down first with `testbed down {}`",
                        spec.name
                    ),
                });
            }
            wanted.push(record.clone());
            continue;
        }
        let record =
            ClusterRecord { spec: spec.clone(), index: free_index(&all)?, network: layout.network() };
        all.push(record.clone());
        wanted.push(record);
    }
    Ok(wanted)
}

fn write_record(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    let path = layout.cluster(&record.spec.name).join("cluster.json");
    let text = serde_json::to_vec_pretty(record)
        .map_err(|e| Error::file("write", &path)(std::io::Error::other(e)))?;
    write_file(&path, text)
}

/// A cluster that is asked for is whole: no link of it stays cut.
async fn heal(layout: &Layout, records: &[ClusterRecord]) -> Result<()> {
    let cuts = network::read_cuts(layout)?;
    let others = cuts.into_iter().filter(|cut| !records.iter().any(|r| cut.concerns(r))).collect();
    network::apply_cuts(layout, &layout.records()?, &others).await
}

async fn cluster_up(starter: &Starter, record: &ClusterRecord, progress: &Progress) -> Result<()> {
    let name = record.spec.name.as_str();
    let task = progress.task(name);
    if is_whole(&starter.layout, record).await {
        task.done("runs already");
        return Ok(());
    }
    let started = SystemTime::now();
    task.step("starting nodes");
    write_credentials(&starter.layout, record)?;
    if record.spec.behind_nat {
        network::ensure_router(&starter.layout, record).await?;
    }
    let nodes = record.spec.node_names();
    let booted =
        futures::future::join_all((0..nodes.len()).map(|ordinal| ensure_node(starter, record, ordinal)));
    let booted = booted.await.into_iter().collect::<Result<Vec<bool>>>()?;
    let client = client(name, &starter.layout.kubeconfig(&record.spec.name)).await?;
    start_components(starter, record, &client, &task).await?;
    wait_for_accounts(name, &client).await?;
    let names: Vec<String> = nodes.iter().take(record.spec.nodes).map(ToString::to_string).collect();
    if names.is_empty() {
        task.done("the control plane is ready");
    } else {
        task.step("waiting for nodes");
        let again: Vec<String> =
            names.iter().zip(&booted).filter(|(_, booted)| **booted).map(|(name, _)| name.clone()).collect();
        wait_for_nodes(name, &client, &again, started).await?;
        wait_for_nodes(name, &client, &names, SystemTime::UNIX_EPOCH).await?;
        task.done(&format!(
            "{} Ready",
            if names.len() == 1 { "1 node".into() } else { format!("{} nodes", names.len()) }
        ));
    }
    Ok(())
}

/// Starts what does not run, in the order in which it needs each other.
async fn start_components(
    starter: &Starter,
    record: &ClusterRecord,
    client: &Client,
    task: &Task<'_>,
) -> Result<()> {
    task.step("starting the API server");
    start(starter, record, 0, |c| c.first.iter().map(|c| c.name.clone()).collect()).await?;
    wait_for_api(record.spec.name.as_str(), client).await?;
    task.step("starting components");
    create_nodes(client, record).await?;
    bootstrap(client, record).await?;
    for ordinal in 0..record.spec.node_names().len() {
        start(starter, record, ordinal, |c| c.then.iter().map(|c| c.name.clone()).collect()).await?;
    }
    Ok(())
}

pub(crate) async fn start(
    starter: &Starter,
    record: &ClusterRecord,
    ordinal: usize,
    which: impl Fn(&crate::component::Components) -> Vec<String>,
) -> Result<()> {
    let name = record.spec.name.node(ordinal);
    let names = which(&components(record, ordinal));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let socket = starter.layout.socket(&name);
    NodeClient::new(name.as_str(), &socket).apply(Verb::Start, &names).await.map(drop)
}

/// Boots a node unless its supervisor answers and its network is there. Returns whether it did.
pub(crate) async fn ensure_node(starter: &Starter, record: &ClusterRecord, ordinal: usize) -> Result<bool> {
    let name = record.spec.name.node(ordinal);
    let socket = starter.layout.socket(&name);
    let plugged = network::is_plugged(&network::NodeLink::of(&starter.layout, record, ordinal)).await;
    if plugged && NodeClient::new(name.as_str(), &socket).status().await.is_ok() {
        return Ok(false);
    }
    power_off(&starter.layout.node(&record.spec.name, &name)).await?;
    starter.boot(record, ordinal).await?;
    Ok(true)
}

/// Whether everything of a cluster runs.
async fn is_whole(layout: &Layout, record: &ClusterRecord) -> bool {
    let names = record.spec.node_names();
    for (ordinal, name) in names.iter().enumerate() {
        let socket = layout.socket(name);
        let Ok(components) = NodeClient::new(name.as_str(), &socket).status().await else { return false };
        let running = components.iter().all(|c| c.state == ComponentState::Running);
        if !running || !network::is_plugged(&network::NodeLink::of(layout, record, ordinal)).await {
            return false;
        }
    }
    let Ok(client) = client(record.spec.name.as_str(), &layout.kubeconfig(&record.spec.name)).await else {
        return false;
    };
    let nodes: Vec<String> = names.iter().take(record.spec.nodes).map(ToString::to_string).collect();
    is_ready(&client).await && not_ready(&client, &nodes, SystemTime::UNIX_EPOCH).await.is_empty()
}
