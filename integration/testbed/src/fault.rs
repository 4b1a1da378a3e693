//! Faults: components and nodes that end or hang, links that break. Each has a call that ends it.

use std::time::{Duration, SystemTime};

use crate::control_plane::{client, create_nodes, wait_for_api, wait_for_nodes};
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::lifecycle::{Lock, Starter, ensure_node, power_off, start};
use crate::model::ClusterRecord;
use crate::network::{Cut, Cuts, NodeLink, apply_cuts, read_cuts, silence};
use crate::node::{ComponentState, NodeClient, Verb};
use crate::progress::Progress;

/// A component reaches the state that a verb leads to within this time: SIGTERM has five seconds of grace.
const STATE_LIMIT: Duration = Duration::from_secs(20);

/// Does something to components of a node and waits until they are in the state it leads to. A component that was killed
/// runs again at once, in a new process.
///
/// # Errors
/// [`Error::Invalid`] for an unknown node, [`Error::Node`] for an unknown component or one that does not run.
pub(crate) async fn component(layout: &Layout, node: &str, verb: Verb, name: &str) -> Result<()> {
    let (record, ordinal) = layout.node_by_name(node)?;
    let socket = layout.socket(&record.spec.name.node(ordinal));
    let client = NodeClient::new(node, &socket);
    let process = |all: &[crate::ComponentStatus]| all.iter().find(|c| c.name == name).and_then(|c| c.pid);
    let before = process(&client.status().await?);
    client.apply(verb, &[name]).await?;
    if verb == Verb::Kill {
        let replaced = async {
            loop {
                let now = process(&client.status().await?);
                if now.is_some() && now != before {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        return tokio::time::timeout(STATE_LIMIT, replaced).await.unwrap_or_else(|_| {
            Err(Error::Timeout {
                what: format!("{name} on {node} running again"),
                limit: STATE_LIMIT,
                hint: format!("see `testbed logs {node} {name}`"),
            })
        });
    }
    let state = match verb {
        Verb::Stop => ComponentState::Stopped,
        Verb::Pause => ComponentState::Paused,
        Verb::Start | Verb::Resume | Verb::Kill => ComponentState::Running,
    };
    client.wait(name, state, STATE_LIMIT).await
}

/// Takes a node's power away: it falls silent on its cable, and all its processes end at once. The link goes first, or the
/// kernel would say goodbye on every connection, and a node that is off would go on forwarding.
///
/// # Errors
/// [`Error::Invalid`] for an unknown node.
pub(crate) async fn kill_node(layout: &Layout, node: &str, progress: &Progress) -> Result<()> {
    let (record, ordinal) = layout.node_by_name(node)?;
    let _lock = Lock::take(layout, progress).await?;
    silence(&NodeLink::of(layout, &record, ordinal)).await?;
    power_off(&layout.node(&record.spec.name, &record.spec.name.node(ordinal))).await
}

/// Starts a node that is off and waits until it is whole again.
///
/// # Errors
/// [`Error::Invalid`] for an unknown node, [`Error::Timeout`] when it does not come back.
pub(crate) async fn start_node(layout: &Layout, node: &str, progress: &Progress) -> Result<()> {
    let (record, ordinal) = layout.node_by_name(node)?;
    let _lock = Lock::take(layout, progress).await?;
    let starter = Starter::prepare(layout, progress).await?;
    let started = SystemTime::now();
    let booted = ensure_node(&starter, &record, ordinal).await?;
    let since = if booted { started } else { SystemTime::UNIX_EPOCH };
    let name = record.spec.name.as_str();
    start(&starter, &record, ordinal, |c| c.first.iter().map(|c| c.name.clone()).collect()).await?;
    let client = client(name, &layout.kubeconfig(&record.spec.name)).await?;
    if ordinal == 0 {
        wait_for_api(name, &client).await?;
        create_nodes(&client, &record).await?;
    }
    start(&starter, &record, ordinal, |c| c.then.iter().map(|c| c.name.clone()).collect()).await?;
    if record.spec.control_plane_only() {
        return Ok(());
    }
    wait_for_nodes(name, &client, &[node.to_owned()], since).await
}

/// The link that one or two names stand for: a node, a cluster, or two clusters.
///
/// # Errors
/// [`Error::Invalid`] when a name is unknown, or two are not both clusters.
pub(crate) fn link(layout: &Layout, names: &[String]) -> Result<Cut> {
    let records = layout.records()?;
    let cluster =
        |name: &String| records.iter().find(|r| r.spec.name.as_str() == name).map(|r| r.spec.name.clone());
    let unknown = |value: &str| Error::Invalid {
        what: "link",
        value: value.to_owned(),
        problem: "does not exist".into(),
        fix: format!("name a node, a cluster or two clusters of: {}", known(&records)),
    };
    match names {
        [one] => match cluster(one) {
            Some(name) => Ok(Cut::Cluster(name)),
            None => layout
                .node_by_name(one)
                .map(|(record, ordinal)| Cut::Node(record.spec.name.node(ordinal)))
                .map_err(|_| unknown(one)),
        },
        [left, right] if left != right => {
            let of = |name| cluster(name).ok_or_else(|| unknown(name));
            Ok(Cut::pair(of(left)?, of(right)?))
        }
        other => Err(unknown(&other.join(" "))),
    }
}

fn known(records: &[ClusterRecord]) -> String {
    let mut names = Vec::new();
    for record in records {
        names.push(record.spec.name.to_string());
        names.extend(record.spec.node_names().iter().map(ToString::to_string));
    }
    if names.is_empty() { "none is up".into() } else { names.join(", ") }
}

/// Changes the set of links that are cut.
///
/// # Errors
/// [`Error::Command`] when the kernel refuses the rules; then the cuts are as before.
pub(crate) async fn change_cuts(
    layout: &Layout,
    progress: &Progress,
    change: impl FnOnce(&mut Cuts),
) -> Result<()> {
    let _lock = Lock::take(layout, progress).await?;
    let mut cuts = read_cuts(layout)?;
    change(&mut cuts);
    apply_cuts(layout, &layout.records()?, &cuts).await
}
