//! Flags of the agents.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The agents of the fabric: what gateways and nodes do with packets.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) role: Role,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// What to be.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// The end of all tunnels of the cluster.
    Gateway {
        /// Address of this pod.
        #[arg(long, env = "POD_IP")]
        pod_ip: Ipv4Addr,
        /// Folder that the Secret with the WireGuard keys is mounted at.
        #[arg(long, default_value = "/etc/liqo/wireguard")]
        keys: PathBuf,
    },
    /// The agent of a node.
    Node {
        /// Name of the node.
        #[arg(long, env = "NODE_NAME")]
        node_name: String,
    },
}

/// What both need.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// Namespace that Liqo is installed in.
    #[arg(long, global = true, env = "POD_NAMESPACE", default_value = "liqo")]
    pub(crate) namespace: String,
    /// Where the control plane is; the Service liqo-fabric when empty.
    #[arg(long, global = true, default_value = "")]
    pub(crate) control_plane: String,
    /// File with the service-account token of audience liqo-fabric.
    #[arg(long, global = true, default_value = "/var/run/secrets/liqo-fabric/token")]
    pub(crate) token: PathBuf,
    /// File with the certificate of the control plane's authority.
    #[arg(long, global = true, default_value = "/var/run/secrets/liqo-fabric/ca.crt")]
    pub(crate) authority: PathBuf,
    /// Folder in which the last view is remembered, for starts while the control plane is away.
    #[arg(long, global = true, default_value = "/var/lib/liqo/fabric")]
    pub(crate) state_dir: PathBuf,
    /// Where metrics and health are served. Of a gateway: not from inside the tunnel.
    #[arg(long, global = true, default_value = "0.0.0.0:5872")]
    pub(crate) metrics_address: SocketAddr,
    /// What is logged: a level, or levels by module. The protocol library tells as errors what the agent tells better.
    #[arg(long, global = true, env = "LIQO_LOG", default_value = "info,boringtun=off")]
    pub(crate) log_filter: String,
    /// Logs one JSON object a line.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}
