//! The controller manager as a process.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use liqo_domain::LiqoMachine;
use liqo_engine::{Engine, Handle, Input, LogVolume, Options, Running, SystemClock};
use liqo_events::{Configured, ControlPlaneSettings, Event, Settings, Started};
use liqo_identity::AuthClient;
use liqo_kube_io::write::{VirtualKubeletSettings, WriterSettings, WriterWith};
use liqo_kube_io::{self as kube_io, Chance, Local};
use liqo_projection_api::{self as projection_api, Stream};
use liqo_telemetry::{self as telemetry, Checks, Exposed, Listening};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::enrolment::{Applicant, Authentication, SharedToken};
use crate::fabric::Fabric;
use crate::own_cluster::{follow_identity, gateway_key};
use crate::services::{Failure, Services, source};
use crate::webhooks::{StateVerdicts, WebhookCertificates};

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
}

/// What is counted.
struct Counted {
    engine: liqo_engine::Metrics,
    servers: Arc<kube_io::Metrics>,
    readers: projection_api::Metrics,
    identities: liqo_identity::Metrics,
    webhooks: liqo_admission::Metrics,
}

impl Counted {
    fn register(registry: &mut Registry) -> Self {
        Self {
            engine: liqo_engine::Metrics::register(registry),
            servers: kube_io::Metrics::registered(registry),
            readers: projection_api::Metrics::register(registry),
            identities: liqo_identity::Metrics::register(registry),
            webhooks: liqo_admission::Metrics::register(registry),
        }
    }
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
        let mut services = Services::default();
        let readiness = Checks::new(&["cluster", "engine", "webhooks"]);
        let exposed = Exposed { registry, health: Checks::default(), readiness: readiness.clone() };
        services.expose(Listening::on(self.metrics_address).await?, exposed);

        let mut chance = Chance::seeded(u64::from_be_bytes(random()?));
        let servers = Arc::clone(&counted.servers);
        let local =
            Local::counted(self.kubeconfig.as_deref(), &self.namespace, servers, chance.split()).await?;
        readiness.pass("cluster");
        let token = SharedToken::follow(&local.server, &self.namespace, random()?).await?;
        let started = kube_io::started(&self.instance, &self.namespace, &self.cluster_name)?;
        let holder = started.instance.clone();
        let running = self.begin(&local, &counted, (started, &token)).await?;
        readiness.pass("engine");
        let handle = running.handle.clone();
        let (namespace, name) = self.pod.clone();
        let pod = local.own_pod(namespace, name, chance.split());
        tokio::spawn(pod.report(handle.degraded(), running.recovery.quarantined.clone(), SystemClock));
        let attached = local.attach(&running, holder, chance, services.stopped()).await?;
        let listening = self.serve(&mut services, &local, &handle, (counted, token)).await?;
        services.spawn(ready_once_listening(listening, readiness));
        services.until_the_end(&handle, running.task, attached.lease).await
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
        running.handle.inbox().send(Input::Observe(vec![configured])).await?;
        Ok(running)
    }

    /// What peers, the API server, agents and people ask. Tells where the webhooks listen, once they do.
    async fn serve(
        &self,
        services: &mut Services,
        local: &Local,
        handle: &Handle<LiqoMachine>,
        (counted, token): (Counted, SharedToken),
    ) -> Result<watch::Receiver<Option<SocketAddr>>, Failure> {
        let server = || Arc::clone(&local.server);
        let authentication = Authentication {
            server: server(),
            namespace: self.namespace.as_str().into(),
            listening: liqo_identity::Listening::on(self.auth_address).await?,
            advertised: self.advertised.clone(),
            identity: follow_identity(handle),
            token,
            metrics: counted.identities,
        };
        let stopping = services.stopping();
        services.spawn(authentication.serve(stopping));
        let listening = watch::Sender::new(None);
        let told = listening.subscribe();
        let webhooks = liqo_admission::Options {
            address: self.webhook_address,
            namespace: self.namespace.clone(),
            settings: liqo_admission::Settings::default(),
            verdicts: StateVerdicts(handle.clone()),
            store: WebhookCertificates { server: server(), namespace: self.namespace.clone() },
            clock: SystemClock,
            published: handle.subscribe(),
            metrics: counted.webhooks,
            listening,
        };
        let stopping = services.stopping();
        services.spawn(liqo_admission::run(webhooks, stopping));
        let source = source(handle, &local.guard());
        services.console(&self.debug_socket, &source, counted.readers.clone()).await?;
        let stream = Stream::of_control_plane(&self.namespace, self.projection_address, counted.readers);
        let fabric = Fabric { server: server(), namespace: self.namespace.clone() };
        let stopping = services.stopping();
        services.spawn(stream.run(source, fabric, SystemClock, stopping));
        Ok(told)
    }
}

/// A process that is asked before its webhooks listen refuses pods, so it is not ready before.
async fn ready_once_listening(
    mut listening: watch::Receiver<Option<SocketAddr>>,
    readiness: Checks,
) -> Result<(), Infallible> {
    // Who never tells has ended, and the process with it.
    if listening.wait_for(Option::is_some).await.is_ok() {
        readiness.pass("webhooks");
    }
    Ok(())
}

fn random<const N: usize>() -> Result<[u8; N], kube_io::Error> {
    kube_io::random_bytes()
}
