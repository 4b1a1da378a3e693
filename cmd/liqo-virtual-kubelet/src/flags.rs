//! Flags of the virtual kubelet: those of Liqo 0.8.3 by name and default, and those of the event log.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.1.2. What asks for something that is not built yet is refused.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use liqo_assembly::VirtualKubelet;
use liqo_events::KubeletSettings;
use liqo_kubelet::CertificateType;

/// Runs pods of this cluster in another one, which it stands for as a node.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Kubeconfig of the home cluster; without it the service account of the pod is used.
    #[arg(long)]
    pub(crate) home_kubeconfig: Option<PathBuf>,
    /// Name of the virtual node.
    #[arg(long, default_value = "virtual-kubelet")]
    pub(crate) nodename: String,
    /// Namespace of the peer in the home cluster.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    pub(crate) tenant_namespace: String,
    /// ID of the home cluster.
    #[arg(long, default_value = "")]
    pub(crate) home_cluster_id: String,
    /// Name of the home cluster.
    #[arg(long, default_value = "")]
    pub(crate) home_cluster_name: String,
    /// ID of the cluster that the node stands for.
    #[arg(long, default_value = "")]
    pub(crate) foreign_cluster_id: String,
    /// Name of the cluster that the node stands for.
    #[arg(long, default_value = "")]
    pub(crate) foreign_cluster_name: String,
    /// Address of this pod, which is that of the node.
    #[arg(long, env = "POD_IP")]
    pub(crate) node_ip: Option<IpAddr>,
    /// Port of the kubelet API.
    #[arg(long, default_value_t = 10250)]
    pub(crate) listen_port: u16,
    /// Whether addresses of endpoints are reflected: not when this is given.
    #[arg(long, default_value_t = false)]
    pub(crate) disable_ip_reflection: bool,
    /// Who signs the certificate of the kubelet API: kubelet or self-signed.
    #[arg(long, default_value = "kubelet")]
    pub(crate) certificate_type: String,
    /// Whether the node is ready only while the tunnel is connected.
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) node_check_network: bool,
    /// Whether metrics are served.
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) metrics_enabled: bool,
    /// Where metrics and health are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub(crate) metrics_address: SocketAddr,
    /// Uid of the pod, which holds the lease; made up when empty.
    #[arg(long, env = "POD_UID", default_value = "")]
    pub(crate) instance: String,
    /// Volume of the event log.
    #[arg(long, default_value = "/var/lib/liqo/log")]
    pub(crate) log_dir: PathBuf,
    /// Unix socket of the debug service.
    #[arg(long, global = true, default_value = "/run/liqo/debug.sock")]
    pub(crate) debug_socket: PathBuf,
    /// What is logged: a level, or levels by module.
    #[arg(long, env = "LIQO_LOG", default_value = liqo_telemetry::DEFAULT_FILTER)]
    pub(crate) log_filter: String,
    /// Logs one JSON object a line.
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// What to do instead of running.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect standard input and output to the debug socket; `liqoctl debug` runs this in the pod.
    DebugBridge,
}

impl Flags {
    /// The process that the flags ask for.
    ///
    /// # Errors
    ///
    /// The flag that is missing or cannot be used, with what to do.
    pub(crate) fn virtual_kubelet(self) -> Result<VirtualKubelet, String> {
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        let address = self.node_ip.ok_or("--node-ip is missing; give it the address of the pod")?;
        Ok(VirtualKubelet {
            kubeconfig: self.home_kubeconfig,
            instance: self.instance,
            log_dir: self.log_dir,
            debug_socket: self.debug_socket,
            metrics_address: self.metrics_address,
            address,
            port: self.listen_port,
            certificate: CertificateType::parse(&self.certificate_type)
                .ok_or_else(|| format!("--certificate-type {:?} is not known", self.certificate_type))?,
            with_addresses: !self.disable_ip_reflection,
            settings: KubeletSettings {
                remote: self.foreign_cluster_id.into(),
                remote_name: self.foreign_cluster_name.into(),
                home: self.home_cluster_id.into(),
                home_name: self.home_cluster_name.into(),
                tenant: self.tenant_namespace.into(),
                node: self.nodename,
                address: address.to_string(),
                version: String::new(),
                check_network: self.node_check_network,
            },
        })
    }

    fn problem(&self) -> Option<String> {
        let needed = [
            ("foreign-cluster-id", &self.foreign_cluster_id),
            ("foreign-cluster-name", &self.foreign_cluster_name),
            ("home-cluster-id", &self.home_cluster_id),
            ("home-cluster-name", &self.home_cluster_name),
        ];
        if let Some((name, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
            return Some(format!("--{name} is missing; the controller manager gives it"));
        }
        match self.certificate_type.as_str() {
            "kubelet" | "self-signed" => None,
            "aws" => Some("--certificate-type aws is not built yet; use kubelet or self-signed".to_owned()),
            other => Some(format!("--certificate-type is {other:?}; use kubelet or self-signed")),
        }
    }
}
