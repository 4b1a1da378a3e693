//! Flags of the controller manager.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The control plane of Liqo.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Kubeconfig of the local cluster; without it the service account of the pod is used.
    #[arg(long)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Namespace that Liqo is installed in.
    #[arg(long, env = "POD_NAMESPACE", default_value = "liqo")]
    pub(crate) namespace: String,
    /// Name of this cluster, used when it has no identity yet; made up when empty.
    #[arg(long, default_value = "")]
    pub(crate) cluster_name: String,
    /// Uid of the pod, which holds the lease; made up when empty, and then a restart is a new holder.
    #[arg(long, env = "POD_UID", default_value = "")]
    pub(crate) instance: String,
    /// Name of the pod, which is told when the log's volume fails; without it nobody is told but logs and metrics.
    #[arg(long, env = "POD_NAME", default_value = "")]
    pub(crate) pod_name: String,
    /// Namespace of the pod.
    #[arg(long, env = "POD_NAMESPACE", default_value = "liqo")]
    pub(crate) pod_namespace: String,
    /// Volume of the event log.
    #[arg(long, default_value = "/var/lib/liqo/log")]
    pub(crate) log_dir: PathBuf,
    /// Unix socket of the debug service.
    #[arg(long, global = true, default_value = "/run/liqo/debug.sock")]
    pub(crate) debug_socket: PathBuf,
    /// Where metrics and health are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub(crate) metrics_address: SocketAddr,
    /// Where agents get their projections.
    #[arg(long, default_value = "0.0.0.0:6001")]
    pub(crate) projection_address: SocketAddr,
    /// What is logged: a level, or levels by module; one JSON object a line with `--log-json`.
    #[arg(long, env = "LIQO_LOG", default_value = liqo_telemetry::DEFAULT_FILTER)]
    pub(crate) log_filter: String,
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// What to do instead of running.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect standard input and output to the debug socket; `liqoctl debug` runs this in the pod.
    DebugBridge,
}
