//! Flags of the virtual kubelet: those of Liqo 0.8.3 by name, type and default, and those of the event log.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.1.2. What asks for something that is not built yet is refused;
//! what has nothing to tell this program is taken, and said when it starts.

mod klog;
mod later;
mod needless;
mod reflectors;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand};
use klog::Klog;
use later::Later;
use liqo_assembly::VirtualKubelet;
use liqo_events::KubeletSettings;
use liqo_kube_io::Limits;
use liqo_kubelet::CertificateType;
use needless::Needless;
use reflectors::Reflectors;
use values::Pairs;

/// Runs pods of this cluster in another one, which it stands for as a node.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Flags {
    /// What to do instead of running.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Kubeconfig of the home cluster; without it the service account of the pod is used.
    #[arg(long, env = "KUBECONFIG")]
    home_kubeconfig: Option<PathBuf>,
    /// Name of the virtual node.
    #[arg(long, default_value = "virtual-kubelet")]
    nodename: String,
    /// Namespace of the peer in the home cluster.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    tenant_namespace: String,
    /// ID of the home cluster.
    #[arg(long, default_value = "")]
    home_cluster_id: String,
    /// Name of the home cluster.
    #[arg(long, default_value = "")]
    home_cluster_name: String,
    /// ID of the cluster that the node stands for.
    #[arg(long, default_value = "")]
    foreign_cluster_id: String,
    /// Name of the cluster that the node stands for.
    #[arg(long, default_value = "")]
    foreign_cluster_name: String,
    /// Address of this pod, which is that of the node.
    #[arg(long, env = "POD_IP")]
    node_ip: Option<IpAddr>,
    /// Port of the kubelet API.
    #[arg(long, default_value_t = 10250)]
    listen_port: u16,
    /// Whether addresses of endpoints are reflected: not when this is given.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    disable_ip_reflection: bool,
    /// Who signs the certificate of the kubelet API: kubelet or self-signed.
    #[arg(long, default_value = "kubelet")]
    certificate_type: String,
    /// The Lease of the node is renewed four times in this time; after it, the node counts as gone.
    #[arg(long, default_value = "40s", value_parser = values::duration)]
    node_lease_duration: Duration,
    /// 0 makes the node ready also while the provider's API server does not answer. Otherwise the controller manager asks it
    /// at its own interval.
    #[arg(long, default_value = "10s", value_parser = values::duration)]
    node_ping_interval: Duration,
    /// Whether the node is ready only while the tunnel is connected.
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    node_check_network: bool,
    /// Annotations of the node: key=value,key=value.
    #[arg(long, default_value = "", value_parser = values::pairs)]
    node_extra_annotations: Pairs,
    /// Labels of the node: key=value,key=value. Those of the provider's offer win.
    #[arg(long, default_value = "", value_parser = values::pairs)]
    node_extra_labels: Pairs,
    /// Whether metrics are shown.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    metrics_enabled: bool,
    /// Where metrics and health are served.
    #[arg(long, default_value = ":8080", value_parser = values::address)]
    metrics_address: SocketAddr,
    /// Requests a second to an API server over a longer time.
    #[arg(long, default_value_t = 100.0, value_parser = values::rate)]
    client_qps: f64,
    /// Requests to an API server at once after a pause.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    client_max_burst: u32,
    #[command(flatten)]
    reflectors: Reflectors,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    needless: Needless,
    #[command(flatten)]
    klog: Klog,
    /// Uid of the pod, which holds the lease; made up when empty.
    #[arg(long, env = "POD_UID", default_value = "")]
    instance: String,
    /// Volume of the event log.
    #[arg(long, default_value = "/var/lib/liqo/log")]
    log_dir: PathBuf,
    /// Unix socket of the debug service.
    #[arg(long, global = true, default_value = "/run/liqo/debug.sock")]
    pub debug_socket: PathBuf,
    /// What is logged: a level, or levels by module.
    #[arg(long, env = "LIQO_LOG", default_value = liqo_telemetry::DEFAULT_FILTER)]
    log_filter: String,
    /// Logs one JSON object a line.
    #[arg(long)]
    pub log_json: bool,
}

/// What to do instead of running.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Connect standard input and output to the debug socket; `liqoctl debug` runs this in the pod.
    DebugBridge,
}

impl Flags {
    /// What is logged: as Go's flags say when they say more than the usual, and as ours say otherwise.
    pub fn filter(&self) -> String {
        self.klog
            .filter()
            .map_or_else(|| self.log_filter.clone(), |more| format!("{},{more}", self.log_filter))
    }

    /// Flags that were given and change nothing, each with the reason.
    pub fn without_effect(&self) -> Vec<String> {
        self.needless.given().into_iter().chain(self.klog.without_effect()).collect()
    }

    /// The process that the flags ask for.
    ///
    /// # Errors
    ///
    /// The flag that is missing or cannot be used, with what to do.
    pub fn virtual_kubelet(self) -> Result<VirtualKubelet, String> {
        if let Some(problem) = self.problem().or_else(|| self.later.problem()) {
            return Err(problem);
        }
        let address = self.node_ip.ok_or("--node-ip is missing; give it the address of the pod")?;
        let certificate = CertificateType::parse(&self.certificate_type)
            .ok_or_else(|| format!("--certificate-type {:?} is not known", self.certificate_type))?;
        Ok(VirtualKubelet {
            kubeconfig: self.home_kubeconfig,
            instance: self.instance,
            log_dir: self.log_dir,
            debug_socket: self.debug_socket,
            metrics_address: self.metrics_address,
            with_metrics: self.metrics_enabled,
            address,
            certificate,
            lease: self.node_lease_duration,
            with_addresses: !self.disable_ip_reflection,
            limits: Limits {
                per_second: self.client_qps,
                burst: f64::from(self.client_max_burst),
                ..Limits::default()
            },
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
                ignore_api_server: self.node_ping_interval.is_zero(),
                port: self.listen_port,
                labels: BTreeMap::from(self.node_extra_labels),
                annotations: BTreeMap::from(self.node_extra_annotations),
                not_reflected: self.reflectors.off(),
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
        if self.node_lease_duration < Duration::from_secs(1) {
            return Some("--node-lease-duration is below 1s; Leases count whole seconds".to_owned());
        }
        match self.certificate_type.as_str() {
            "kubelet" | "self-signed" => None,
            "aws" => Some("--certificate-type aws is not built yet; use kubelet or self-signed".to_owned()),
            other => Some(format!("--certificate-type is {other:?}; use kubelet or self-signed")),
        }
    }
}
