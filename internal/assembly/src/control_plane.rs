//! The controller manager as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use liqo_domain::LiqoMachine;
use liqo_engine::{Engine, Handle, Input, LogVolume, Options, Running, SystemClock};
use liqo_events::{Configured, ControlPlaneSettings, Event, Settings, Started};
use liqo_identity::AuthClient;
use liqo_kube_io::write::{VirtualKubeletSettings, WriterSettings, WriterWith};
use liqo_kube_io::{self as kube_io, Chance, Limits, Local};
use liqo_listening::{ListenError, Listening, Socket};
use liqo_projection_api::{self as projection_api, Stream};
use liqo_telemetry as telemetry;
use prometheus_client::registry::Registry;

use crate::ending::Core;
use crate::enrolment::{Applicant, Authentication, SharedToken};
use crate::fabric::Fabric;
use crate::own_cluster::{follow_identity, gateway_key};
use crate::services::{Failure, Services, source};
use crate::sharing::ResourceSharing;
use crate::webhooks::{StateVerdicts, WebhookCertificates};

/// What has to be so before the process can be asked for work.
const CLUSTER: &str = "cluster";
const ENGINE: &str = "engine";
const AUTHENTICATION: &str = "authentication";
const WEBHOOKS: &str = "webhooks";

/// How a controller manager runs.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// Kubeconfig of the local cluster; without it the service account of the pod is used.
    pub kubeconfig: Option<PathBuf>,
    /// Namespace that Liqo is installed in.
    pub namespace: String,
    /// Name of this cluster when it has none yet.
    pub cluster_name: String,
    /// Uid of the pod.
    pub instance: String,
    /// Namespace and name of the pod.
    pub pod: (String, String),
    /// Volume of the event log.
    pub log_dir: PathBuf,
    /// Socket of the debug service.
    pub debug_socket: PathBuf,
    /// Where metrics and health are served.
    pub metrics_address: SocketAddr,
    /// Where agents get their projections.
    pub projection_address: SocketAddr,
    /// Where peers ask for identities.
    pub auth_address: SocketAddr,
    /// Where the API server asks the webhooks.
    pub webhook_address: SocketAddr,
    /// Address of the API server for peers; that of a control-plane node when it is empty.
    pub advertised: String,
    /// What decisions depend on; the key of the gateway is put in here.
    pub settings: ControlPlaneSettings,
    /// What every virtual kubelet is made with.
    pub virtual_kubelets: VirtualKubeletSettings,
    /// How much of this cluster consumers are offered, beside the share in the settings.
    pub sharing: ResourceSharing,
}

/// What is counted.
struct Counted {
    engine: liqo_engine::Metrics,
    servers: Arc<kube_io::Metrics>,
    readers: projection_api::Metrics,
    identities: liqo_identity::Metrics,
    webhooks: liqo_admission::Metrics,
    sharing: liqo_resource_monitor::Metrics,
}

impl Counted {
    fn register(registry: &mut Registry) -> Self {
        Self {
            engine: liqo_engine::Metrics::register(registry),
            servers: kube_io::Metrics::registered(registry),
            readers: projection_api::Metrics::register(registry),
            identities: liqo_identity::Metrics::register(registry),
            webhooks: liqo_admission::Metrics::register(registry),
            sharing: liqo_resource_monitor::Metrics::register(registry),
        }
    }
}

/// Ports that are taken before the process claims to be ready for anything.
struct Sockets {
    auth: Socket,
    webhooks: Socket,
    projections: Socket,
}

impl Sockets {
    fn bind(process: &ControlPlane) -> Result<Self, ListenError> {
        Ok(Self {
            auth: Socket::bind(process.auth_address)?,
            webhooks: Socket::bind(process.webhook_address)?,
            projections: Socket::bind(process.projection_address)?,
        })
    }
}

/// What is asked, where, and what answers depend on.
struct Asked {
    sockets: Sockets,
    counted: Counted,
    token: SharedToken,
    verdicts: StateVerdicts,
}

impl ControlPlane {
    /// Runs until the process is told to stop.
    ///
    /// # Errors
    ///
    /// Whatever ended it otherwise.
    pub async fn run(self) -> Result<(), Failure> {
        let mut registry = telemetry::registry("controller-manager", env!("CARGO_PKG_VERSION"));
        let counted = Counted::register(&mut registry);
        let sockets = Sockets::bind(&self)?;
        let mut services = Services::ready_with(&[CLUSTER, ENGINE, AUTHENTICATION, WEBHOOKS]);
        services.ready_while_served(AUTHENTICATION, sockets.auth.served());
        services.ready_while_served(WEBHOOKS, sockets.webhooks.served());
        services.expose(Listening::on(self.metrics_address).await?, registry);

        let mut chance = Chance::seeded(u64::from_be_bytes(random()?));
        let servers = Arc::clone(&counted.servers);
        let local = Local::counted(
            self.kubeconfig.as_deref(),
            &self.namespace,
            (servers, Limits::default()),
            chance.split(),
        )
        .await?;
        services.passed(CLUSTER);
        let token = SharedToken::follow(&local.server, &self.namespace, random()?).await?;
        let started = kube_io::started(&self.instance, &self.namespace, &self.cluster_name)?;
        let holder = started.instance.clone();
        let running = self.begin(&local, &counted, (started, &token)).await?;
        services.passed(ENGINE);
        let handle = running.handle.clone();
        let (namespace, name) = self.pod.clone();
        let pod = local.own_pod(namespace, name, chance.split());
        tokio::spawn(pod.report(handle.degraded(), running.recovery.quarantined.clone(), SystemClock));
        let attached = local.attach(&running, holder, chance, services.retired()).await?;
        let verdicts = StateVerdicts::new(handle.clone());
        let last = verdicts.clone();
        let asked = Asked { sockets, counted, token, verdicts };
        self.serve(&mut services, &local, &handle, asked).await?;
        let stop = async move {
            last.keep_the_last().await;
            handle.stop();
        };
        let core = Core { stop, engine: running.task, lease: attached.lease };
        services.until_the_end(core, telemetry::asked_to_end()).await
    }

    /// Starts the engine, and tells it how it is configured.
    async fn begin(
        &self,
        local: &Local,
        counted: &Counted,
        (started, token): (Started, &SharedToken),
    ) -> Result<Running<LiqoMachine>, Failure> {
        let public_key = gateway_key(&local.server, &self.namespace, random()?).await?;
        let settings = ControlPlaneSettings {
            public_key,
            virtual_kubelet: self.virtual_kubelets.fingerprint(),
            ..self.settings.clone()
        };
        let authenticator = Applicant::new(
            local.server.client().clone(),
            self.namespace.as_str().into(),
            token.clone(),
            AuthClient::new(&[], counted.identities.clone())?,
            || random().map_err(std::io::Error::other),
        );
        let virtual_kubelet = self.virtual_kubelets.clone();
        let settings_of_writes = WriterSettings { virtual_kubelet, ..WriterSettings::default() };
        let writer = local.writer().with_settings(settings_of_writes);
        let volume = LogVolume::new(&self.log_dir, liqo_log::Options::CONTROLLER, Arc::new(SystemClock));
        let running = Engine::<LiqoMachine>::start(Options {
            log: Box::new(volume),
            started,
            actuator: WriterWith { writer, authenticator },
            authority: Arc::new(local.guard()),
            clock: Arc::new(SystemClock),
            metrics: counted.engine.clone(),
        })
        .await?;
        let configured = Event::Configured(Configured { settings: Settings::ControlPlane(settings) });
        running.handle.inbox().send(Input::Observe(vec![configured, self.sharing.configured()])).await?;
        Ok(running)
    }

    /// What peers, the API server, agents and people ask.
    async fn serve(
        &self,
        services: &mut Services,
        local: &Local,
        handle: &Handle<LiqoMachine>,
        Asked { sockets, counted, token, verdicts }: Asked,
    ) -> Result<(), Failure> {
        let server = || Arc::clone(&local.server);
        let authentication = Authentication {
            server: server(),
            namespace: self.namespace.as_str().into(),
            listening: sockets.auth.listen()?,
            advertised: self.advertised.clone(),
            identity: follow_identity(handle),
            token,
            metrics: counted.identities,
        };
        let stopping = services.stopping();
        services.spawn(authentication.serve(stopping));
        let webhooks = liqo_admission::Options {
            socket: sockets.webhooks,
            namespace: self.namespace.clone(),
            settings: liqo_admission::Settings::default(),
            verdicts,
            store: WebhookCertificates { server: server(), namespace: self.namespace.clone() },
            clock: SystemClock,
            published: handle.subscribe(),
            metrics: counted.webhooks,
        };
        let stopping = services.stopping();
        services.spawn(liqo_admission::run(webhooks, stopping));
        self.sharing.serve(services, handle, counted.sharing)?;
        let source = source(handle, &local.guard());
        services.console(&self.debug_socket, &source, counted.readers.clone()).await?;
        let stream = Stream::of_control_plane(&self.namespace, sockets.projections, counted.readers);
        let fabric = Fabric { server: server(), namespace: self.namespace.clone() };
        let retiring = services.retiring();
        services.spawn(stream.run(source, fabric, SystemClock, retiring));
        Ok(())
    }
}

fn random<const N: usize>() -> Result<[u8; N], kube_io::Error> {
    kube_io::random_bytes()
}
