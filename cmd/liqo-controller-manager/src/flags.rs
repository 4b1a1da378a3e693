//! Flags of the controller manager.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use liqo_assembly::{ControlPlane, OfferLimit, ResourceSharing};
use liqo_events::ControlPlaneSettings;
use liqo_kube_io::write::VirtualKubeletSettings;

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
    /// CIDR of the pods; without it nothing is joined.
    #[arg(long, env = "LIQO_POD_CIDR", default_value = "")]
    pub(crate) pod_cidr: String,
    /// CIDR of the services.
    #[arg(long, env = "LIQO_SERVICE_CIDR", default_value = "")]
    pub(crate) service_cidr: String,
    /// CIDRs that are never used for peers.
    #[arg(long, env = "LIQO_RESERVED_SUBNETS", value_delimiter = ',')]
    pub(crate) reserved_subnets: Vec<String>,
    /// Labels of this cluster's virtual nodes in its consumers, KEY=VALUE.
    #[arg(long, env = "LIQO_CLUSTER_LABELS", value_delimiter = ',', value_parser = key_value)]
    pub(crate) cluster_labels: Vec<(String, String)>,
    /// Share of what is free that each consumer is offered, in percent.
    #[arg(long, env = "LIQO_RESOURCE_SHARING_PERCENTAGE", default_value_t = 90, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) resource_sharing_percentage: u8,
    /// Change in percent up to which an offer stays as it is; 0 tells every change.
    #[arg(long, env = "LIQO_OFFER_UPDATE_THRESHOLD_PERCENTAGE", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) offer_update_threshold_percentage: u8,
    /// HOST:PORT of an external resource monitor, which then says how much each consumer may have, whatever is free.
    #[arg(long, env = "LIQO_RESOURCE_PLUGIN_ADDRESS", default_value = "")]
    pub(crate) resource_plugin_address: String,
    /// The most that a consumer is offered of a resource, CLUSTER-ID/RESOURCE=QUANTITY; `*` for each without a limit of its own.
    #[arg(long, env = "LIQO_OFFER_LIMITS", value_delimiter = ',')]
    pub(crate) offer_limits: Vec<OfferLimit>,
    /// Whether consumers may peer unless their ForeignCluster says otherwise.
    #[arg(long, env = "LIQO_ENABLE_INCOMING_PEERING", default_value_t = true, action = clap::ArgAction::Set)]
    pub(crate) enable_incoming_peering: bool,
    /// Bytes of the longest packet in the tunnel.
    #[arg(long, env = "LIQO_MTU", default_value_t = 1340)]
    pub(crate) mtu: u16,
    /// Where peers ask for identities.
    #[arg(long, default_value = "0.0.0.0:8443")]
    pub(crate) auth_address: SocketAddr,
    /// Where the API server asks the webhooks.
    #[arg(long, default_value = "0.0.0.0:9443")]
    pub(crate) webhook_address: SocketAddr,
    /// Address of the API server for peers; that of a control-plane node when empty.
    #[arg(long, env = "LIQO_ADVERTISE_API_SERVER_ADDRESS", default_value = "")]
    pub(crate) advertise_api_server_address: String,
    /// Image of the virtual kubelets.
    #[arg(long, env = "LIQO_KUBELET_IMAGE", default_value = "")]
    pub(crate) kubelet_image: String,
    /// More arguments of the virtual kubelets.
    #[arg(long, env = "LIQO_KUBELET_EXTRA_ARGS", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) kubelet_extra_args: Vec<String>,
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

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Flags {
    /// The process that the flags ask for.
    pub(crate) fn control_plane(self) -> ControlPlane {
        ControlPlane {
            kubeconfig: self.kubeconfig,
            namespace: self.namespace,
            cluster_name: self.cluster_name,
            instance: self.instance,
            pod: (self.pod_namespace, self.pod_name),
            log_dir: self.log_dir,
            debug_socket: self.debug_socket,
            metrics_address: self.metrics_address,
            projection_address: self.projection_address,
            auth_address: self.auth_address,
            webhook_address: self.webhook_address,
            advertised: self.advertise_api_server_address,
            settings: ControlPlaneSettings {
                pod_cidr: self.pod_cidr,
                service_cidr: self.service_cidr,
                reserved: self.reserved_subnets.into_iter().filter(|subnet| !subnet.is_empty()).collect(),
                sharing_percentage: self.resource_sharing_percentage,
                labels: self.cluster_labels.into_iter().collect(),
                incoming: self.enable_incoming_peering,
                public_key: String::new(),
                mtu: self.mtu,
                virtual_kubelet: String::new(),
            },
            sharing: ResourceSharing::new(
                self.offer_update_threshold_percentage,
                self.offer_limits,
                self.resource_plugin_address,
            ),
            virtual_kubelets: VirtualKubeletSettings {
                image: self.kubelet_image,
                extra_args: self.kubelet_extra_args,
                env: Vec::new(),
            },
        }
    }
}
