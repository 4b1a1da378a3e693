//! What the supervisor of a node is told: the whole node as data.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One process that the supervisor keeps running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Component {
    /// The name that faults and logs use.
    pub name: String,
    /// The program, found in the node's `PATH`, with its arguments.
    pub command: Vec<String>,
}

impl Component {
    /// A component that is the program of the same name.
    pub(crate) fn new(name: &str, arguments: impl IntoIterator<Item = String>) -> Self {
        let mut command = vec![name.to_owned()];
        command.extend(arguments);
        Self { name: name.to_owned(), command }
    }
}

/// A node: its name in every place, its files, its processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodePlan {
    /// Host name, cgroup and log prefix.
    pub name: String,
    /// Lines of `/etc/hosts`: all nodes of the cluster.
    pub hosts: Vec<(Ipv4Addr, String)>,
    /// The cluster's name server, for the node itself.
    pub name_server: Ipv4Addr,
    /// Directory of Kubernetes binaries on the machine.
    pub binaries: PathBuf,
    /// Directory of CNI plugins on the machine.
    pub plugins: PathBuf,
    /// Network namespace in which the load balancer sets routes, on control planes.
    pub segment: Option<PathBuf>,
    /// The socket that takes requests.
    pub socket: PathBuf,
    /// The processes, in the order of their start.
    pub components: Vec<Component>,
}

/// Directories of the node's own inside its directory on the machine.
pub(crate) mod directory {
    /// The root file system, as far as it belongs to the node alone.
    pub(crate) const ROOT: &str = "root";
    /// `/etc/kubernetes` of the node.
    pub(crate) const CONFIG: &str = "config";
    /// `/var/log/testbed` of the node: what the components print.
    pub(crate) const LOGS: &str = "logs";
    /// The plan.
    pub(crate) const PLAN: &str = "node.json";
    /// The supervisor's process, as the machine sees it.
    pub(crate) const PROCESS: &str = "process.json";
}

/// The environment variable by which `down` finds processes of a node whatever else was lost. Its value is the node's
/// directory.
pub(crate) const MARK: &str = "LIQO_TESTBED_NODE";
