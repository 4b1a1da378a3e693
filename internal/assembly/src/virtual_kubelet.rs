//! The virtual kubelet of one peer as a process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{KubeletMachine, kubelet_base_watches, kubelet_watches};
use liqo_engine::{Engine, Input, LogVolume, Options, Running, SystemClock};
use liqo_events::{Configured, Event, KubeletSettings, Settings, Started};
use liqo_kube_io::watch::Target;
use liqo_kube_io::write::WriterSettings;
use liqo_kube_io::{self as kube_io, Chance, Limits, Local, Reflecting, Reflections, Role};
use liqo_kubelet::CertificateType;
use liqo_listening::{Listening, Socket};
use liqo_projection_api as projection_api;
use liqo_reflection::Cluster;
use liqo_telemetry as telemetry;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::ending::Core;
use crate::services::{Failure, Services, source};
use crate::virtual_node::{self, Known, KubeletApi};

/// Name of the Lease of the process, in the tenant namespace.
const LEASE: &str = "virtual-kubelet";
/// What has to be so before the process can be asked for work.
const CLUSTER: &str = "cluster";
const ENGINE: &str = "engine";
const KUBELET_API: &str = "kubelet-api";

/// How a virtual kubelet runs.
#[derive(Clone, Debug)]
pub struct VirtualKubelet {
    /// Kubeconfig of the home cluster; without it the service account of the pod is used.
    pub kubeconfig: Option<PathBuf>,
    /// Uid of the pod.
    pub instance: String,
    /// Volume of the event log.
    pub log_dir: PathBuf,
    /// Socket of the debug service.
    pub debug_socket: PathBuf,
    /// Where metrics and health are served.
    pub metrics_address: SocketAddr,
    /// Address of the pod, which is that of the node.
    pub address: IpAddr,
    /// The Lease of the node is renewed four times in this time.
    pub lease: Duration,
    /// How much each API server is asked.
    pub limits: Limits,
    /// Whether metrics are shown where health is.
    pub with_metrics: bool,
    /// Who signs the certificate of the kubelet API.
    pub certificate: CertificateType,
    /// Whether addresses of endpoints are reflected.
    pub with_addresses: bool,
    /// What decisions depend on; the version of the home API server is put in here.
    pub settings: KubeletSettings,
}

impl VirtualKubelet {
    /// Runs until the process is told to stop.
    ///
    /// # Errors
    ///
    /// Whatever ended it otherwise.
    pub async fn run(mut self) -> Result<(), Failure> {
        let mut registry = telemetry::registry("virtual-kubelet", env!("CARGO_PKG_VERSION"));
        let of_engine = liqo_engine::Metrics::register(&mut registry);
        let of_servers = kube_io::Metrics::registered(&mut registry);
        let of_readers = projection_api::Metrics::register(&mut registry);
        let of_node = liqo_kubelet::Metrics::register(&mut registry);
        let socket = Socket::bind((Ipv4Addr::UNSPECIFIED, self.settings.port).into())?;
        let mut services = Services::ready_with(&[CLUSTER, ENGINE, KUBELET_API]);
        services.ready_while_served(KUBELET_API, socket.served());
        let shown = if self.with_metrics { registry } else { Registry::default() };
        services.expose(Listening::on(self.metrics_address).await?, shown);

        let mut chance = Chance::seeded(u64::from_be_bytes(kube_io::random_bytes()?));
        let tenant = self.settings.tenant.to_string();
        let local =
            Local::counted(self.kubeconfig.as_deref(), &tenant, (of_servers, self.limits), chance.split())
                .await?;
        let client = local.server.client().clone();
        self.settings.version =
            client.apiserver_version().await.map(|info| info.git_version).unwrap_or_default();
        services.passed(CLUSTER);
        let started = kube_io::started(&self.instance, &tenant, self.settings.home_name.as_str())?;
        let holder = started.instance.clone();
        let (running, known) = self.begin(&local, of_engine, started).await?;
        services.passed(ENGINE);
        let attached = local.attach_as(self.role(), &running, holder, (chance, services.retired())).await?;
        let api = KubeletApi {
            settings: self.settings.clone(),
            client,
            servers: local.servers(),
            known,
            socket,
            address: self.address,
            certificate: self.certificate,
            lease: self.lease,
            metrics: of_node,
        };
        let stopping = services.stopping();
        services.spawn(api.run(stopping));
        let source = source(&running.handle, &local.guard());
        services.console(&self.debug_socket, &source, of_readers).await?;
        let handle = running.handle.clone();
        let core = Core { stop: async move { handle.stop() }, engine: running.task, lease: attached.lease };
        services.until_the_end(core, telemetry::asked_to_end()).await
    }

    /// Starts the engine, tells it how it is configured, and follows what it knows.
    async fn begin(
        &self,
        local: &Local,
        metrics: liqo_engine::Metrics,
        started: Started,
    ) -> Result<(Running<KubeletMachine>, watch::Receiver<Known>), Failure> {
        let (prefixes, known_prefixes) = watch::channel(None);
        let reflecting = Reflecting {
            home: Cluster { id: self.settings.home.clone(), name: self.settings.home_name.clone() },
            remote: Cluster { id: self.settings.remote.clone(), name: self.settings.remote_name.clone() },
            virtual_node: self.settings.node.as_str().into(),
            node_ip: self.address,
            prefixes: known_prefixes,
            with_addresses: self.with_addresses,
        };
        let reflections = Arc::new(Reflections(Some(reflecting)));
        let volume = LogVolume::new(&self.log_dir, liqo_log::Options::VIRTUAL_KUBELET, Arc::new(SystemClock));
        let running = Engine::<KubeletMachine>::start(Options {
            log: Box::new(volume),
            started,
            actuator: local
                .writer()
                .with_settings(WriterSettings { reflections, ..WriterSettings::default() }),
            authority: Arc::new(local.guard()),
            clock: Arc::new(SystemClock),
            metrics,
        })
        .await?;
        let settings = Settings::Kubelet(self.settings.clone());
        let configured = Event::Configured(Configured { settings });
        running.handle.inbox().send(Input::Observe(vec![configured])).await?;
        let known = virtual_node::follow(&running.handle);
        tokio::spawn(pass_on(virtual_node::part(known.clone(), |known| known.prefixes), prefixes));
        Ok((running, known))
    }

    fn role(&self) -> Role {
        Role {
            lease: LEASE.to_owned(),
            targets: kubelet_base_watches(&self.settings).iter().map(Target::of).collect(),
            wishes: kubelet_watches,
        }
    }
}

/// Hands what one channel says to another.
async fn pass_on<T: Clone>(mut from: watch::Receiver<T>, to: watch::Sender<T>) {
    loop {
        to.send_replace(from.borrow_and_update().clone());
        if from.changed().await.is_err() {
            return;
        }
    }
}
