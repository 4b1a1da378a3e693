//! How the clusters are.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::SystemTime;

use ipnet::Ipv4Net;
use serde::Serialize;

use crate::control_plane::{client, is_ready, not_ready};
use crate::error::Result;
use crate::layout::Layout;
use crate::model::ClusterRecord;
use crate::network::{Cut, read_cuts};
use crate::node::{ComponentState, ComponentStatus, NodeClient, cgroup};

/// All clusters and faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The clusters by name.
    pub clusters: Vec<ClusterStatus>,
    /// The links that are cut.
    pub cuts: Vec<Cut>,
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterStatus {
    /// Its name.
    pub name: String,
    /// Whether all of it runs: API server ready, nodes Ready, every component running.
    pub ready: bool,
    /// Where its API server is.
    pub server: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The pod network.
    pub pod_cidr: Ipv4Net,
    /// The Service network.
    pub service_cidr: Ipv4Net,
    /// Whether a masquerading router stands before it.
    pub behind_nat: bool,
    /// Its nodes.
    pub nodes: Vec<NodeStatus>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whether its first process runs.
    pub on: bool,
    /// Whether Kubernetes calls it Ready; none for a control plane without a kubelet.
    pub ready: Option<bool>,
    /// Memory of its own and its pods' processes, page cache left out, in bytes.
    pub memory: Option<u64>,
    /// Its components; none when it is off.
    pub components: Vec<ComponentStatus>,
}

/// Asks every node and API server.
///
/// # Errors
/// [`crate::Error::File`] when records cannot be read. A cluster that does not answer is a status, not an error.
pub(crate) async fn status(layout: &Layout) -> Result<Status> {
    let records = layout.records()?;
    let clusters = futures::future::join_all(records.iter().map(|record| cluster(layout, record))).await;
    Ok(Status { clusters, cuts: read_cuts(layout)?.into_iter().collect() })
}

async fn cluster(layout: &Layout, record: &ClusterRecord) -> ClusterStatus {
    let spec = &record.spec;
    let kubeconfig = layout.kubeconfig(&spec.name);
    let names: Vec<String> = spec.node_names().iter().map(ToString::to_string).collect();
    let (mut answers, mut not_ready_nodes) = (false, names.clone());
    if let Ok(client) = client(spec.name.as_str(), &kubeconfig).await {
        answers = is_ready(&client).await;
        if answers && !spec.control_plane_only() {
            not_ready_nodes = not_ready(&client, &names, SystemTime::UNIX_EPOCH).await;
        }
    }
    let mut nodes = Vec::new();
    for (ordinal, name) in spec.node_names().iter().enumerate() {
        let socket = layout.socket(name);
        let components = NodeClient::new(name.as_str(), &socket).status().await;
        nodes.push(NodeStatus {
            name: name.to_string(),
            address: record.addresses().node(ordinal).address,
            on: components.is_ok(),
            ready: (!spec.control_plane_only()).then(|| !not_ready_nodes.contains(&name.to_string())),
            memory: cgroup::memory(name.as_str()),
            components: components.unwrap_or_default(),
        });
    }
    let running = |node: &NodeStatus| {
        node.on
            && node.ready != Some(false)
            && node.components.iter().all(|c| c.state == ComponentState::Running)
    };
    ClusterStatus {
        name: spec.name.to_string(),
        ready: answers && nodes.iter().all(running),
        server: format!("https://{}:6443", record.addresses().api_server()),
        kubeconfig,
        pod_cidr: spec.pod_cidr,
        service_cidr: spec.service_cidr,
        behind_nat: spec.behind_nat,
        nodes,
    }
}

impl Status {
    /// The status as a person reads it.
    pub fn table(&self) -> String {
        if self.clusters.is_empty() {
            return "no clusters; start one with `testbed up NAME`\n".into();
        }
        let mut rows =
            vec![["CLUSTER", "NODE", "ADDRESS", "STATE", "MEMORY", "COMPONENTS"].map(str::to_owned)];
        for cluster in &self.clusters {
            rows.extend(cluster.nodes.iter().map(|node| node.row(cluster)));
        }
        let mut text = aligned(&rows);
        let memory: u64 = self.clusters.iter().flat_map(|c| &c.nodes).filter_map(|n| n.memory).sum();
        let _ = writeln!(text, "\n{} MiB in all", memory / (1024 * 1024));
        for cut in &self.cuts {
            let _ = writeln!(text, "cut: {cut} (heal it with `testbed fault heal {cut}`)");
        }
        text
    }
}

impl NodeStatus {
    fn row(&self, cluster: &ClusterStatus) -> [String; 6] {
        let state = match (self.on, self.ready) {
            (false, _) => "Off",
            (true, Some(false)) => "NotReady",
            (true, Some(true)) => "Ready",
            (true, None) if cluster.ready => "Ready",
            (true, None) => "NotReady",
        };
        let troubled: Vec<String> = self
            .components
            .iter()
            .filter(|c| c.state != ComponentState::Running)
            .map(|c| format!("{} {:?}", c.name, c.state).to_lowercase())
            .collect();
        let components = match (self.components.len(), troubled.is_empty()) {
            (0, _) => "-".to_owned(),
            (n, true) => format!("{n} running"),
            (_, false) => troubled.join(", "),
        };
        [
            cluster.name.clone(),
            self.name.clone(),
            self.address.to_string(),
            state.to_owned(),
            self.memory.map_or("-".into(), |bytes| format!("{} MiB", bytes / (1024 * 1024))),
            components,
        ]
    }
}

/// Columns as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|i| rows.iter().map(|row| row[i].len()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_troubled_components_are_named() {
        let component =
            |name: &str, state| ComponentStatus { name: name.into(), state, restarts: 0, pid: None };
        let node = NodeStatus {
            name: "rome-worker".into(),
            address: Ipv4Addr::new(172, 30, 1, 2),
            on: true,
            ready: Some(false),
            memory: Some(64 << 20),
            components: vec![
                component("kubelet", ComponentState::Paused),
                component("containerd", ComponentState::Running),
            ],
        };
        let cluster = ClusterStatus {
            name: "rome".into(),
            ready: false,
            server: String::new(),
            kubeconfig: PathBuf::new(),
            pod_cidr: "10.200.0.0/16".parse().unwrap(),
            service_cidr: "10.80.0.0/16".parse().unwrap(),
            behind_nat: false,
            nodes: vec![node],
        };
        let cuts = vec![Cut::Cluster("rome".parse().unwrap())];
        let table = Status { clusters: vec![cluster], cuts }.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0].find("STATE"), lines[1].find("NotReady"));
        assert!(lines[1].ends_with("64 MiB  kubelet paused"), "{table}");
        assert!(table.contains("64 MiB in all") && table.contains("cut: rome"), "{table}");
    }
}
