//! The control plane: parses flags, wires the crates, runs until it is told to stop.

mod fabric;
mod flags;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use fabric::Fabric;
use flags::{Command, Flags};
use liqo_assembly::enrolment::{Applicant, Authentication, SharedToken};
use liqo_assembly::own_cluster::{follow_identity, gateway_key};
use liqo_assembly::webhooks::{StateVerdicts, WebhookCertificates};
use liqo_domain::LiqoMachine;
use liqo_engine::{Engine, Input, LogVolume, Options, SystemClock};
use liqo_events::{Configured, Event, Settings};
use liqo_identity::AuthClient;
use liqo_kube_io::write::{WriterSettings, WriterWith};
use liqo_kube_io::{self as kube_io, Chance, Local};
use liqo_projection_api::debug::{self, DebugService, DebugSocket};
use liqo_projection_api::{self as projection_api, EngineSource, Stream};
use liqo_telemetry::{self as telemetry, Checks, Exposed, LogFormat};
use tokio::sync::watch;

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = match flags.command {
        Some(Command::DebugBridge) => {
            debug::bridge_standard_streams(&flags.debug_socket).await.map_err(Failure::from)
        }
        None => run(flags).await,
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: {}", telemetry::chain(error.as_ref()));
    ExitCode::FAILURE
}

async fn run(flags: Flags) -> Result<(), Failure> {
    let format = if flags.log_json { LogFormat::Json } else { LogFormat::Text };
    telemetry::init_logging(format, &flags.log_filter)?;
    let mut registry = telemetry::registry("controller-manager", env!("CARGO_PKG_VERSION"));
    let of_engine = liqo_engine::Metrics::register(&mut registry);
    let of_servers = kube_io::Metrics::registered(&mut registry);
    let of_readers = projection_api::Metrics::register(&mut registry);
    let of_identities = liqo_identity::Metrics::register(&mut registry);
    let of_webhooks = liqo_admission::Metrics::register(&mut registry);
    let (stop, stopping) = watch::channel(false);
    let listening = telemetry::Listening::on(flags.metrics_address).await?;
    let readiness = Checks::new(&["cluster", "engine"]);
    let exposed = Exposed { registry, health: Checks::default(), readiness: readiness.clone() };
    let exposition = tokio::spawn(telemetry::serve(listening, exposed, told(stopping.clone())));

    let mut chance = Chance::seeded(u64::from_be_bytes(kube_io::random_bytes()?));
    let (kubeconfig, namespace) = (flags.kubeconfig.as_deref(), flags.namespace.as_str());
    let local = Local::counted(kubeconfig, namespace, of_servers, chance.split()).await?;
    readiness.pass("cluster");
    let token = SharedToken::follow(&local.server, namespace, random()?).await?;
    let settings = flags.settings(gateway_key(&local.server, namespace, random()?).await?);
    let applicant = Applicant::new(
        local.server.client().clone(),
        namespace.into(),
        token.clone(),
        AuthClient::new(&[], of_identities.clone())?,
        || random().map_err(std::io::Error::other),
    );
    let virtual_kubelet = flags.virtual_kubelets();
    let writer =
        local.writer().with_settings(WriterSettings { virtual_kubelet, ..WriterSettings::default() });
    let started = kube_io::started(&flags.instance, namespace, &flags.cluster_name)?;
    let holder = started.instance.clone();
    let mut running = Engine::<LiqoMachine>::start(Options {
        log: Box::new(LogVolume::new(&flags.log_dir, liqo_log::Options::CONTROLLER, Arc::new(SystemClock))),
        started,
        actuator: WriterWith { writer, authenticator: applicant },
        authority: Arc::new(local.guard()),
        clock: Arc::new(SystemClock),
        metrics: of_engine,
    })
    .await?;
    readiness.pass("engine");
    let (handle, put_aside) = (running.handle.clone(), running.recovery.quarantined.clone());
    let configured = Event::Configured(Configured { settings: Settings::ControlPlane(settings) });
    handle.inbox().send(Input::Observe(vec![configured])).await?;
    let pod = local.own_pod(flags.pod_namespace, flags.pod_name, chance.split());
    tokio::spawn(pod.report(handle.degraded(), put_aside, SystemClock));
    let attached = local.attach(&running, holder, chance, told(stopping.clone())).await?;

    let authentication = Authentication {
        server: Arc::clone(&local.server),
        namespace: namespace.into(),
        address: flags.auth_address,
        advertised: flags.advertise_api_server_address,
        identity: follow_identity(&handle),
        token,
        metrics: of_identities,
    };
    let authentication = tokio::spawn(authentication.serve(stopping.clone()));
    let webhooks = liqo_admission::Options {
        address: flags.webhook_address,
        namespace: namespace.to_owned(),
        settings: liqo_admission::Settings::default(),
        verdicts: StateVerdicts(handle.clone()),
        store: WebhookCertificates { server: Arc::clone(&local.server), namespace: namespace.to_owned() },
        clock: SystemClock,
        published: handle.subscribe(),
        metrics: of_webhooks,
        listening: watch::Sender::new(None),
    };
    let webhooks = tokio::spawn(liqo_admission::run(webhooks, stopping.clone()));
    let source = Arc::new(EngineSource::new(handle.clone()).led_by(local.guard().holder()));
    let console = DebugService::new(Arc::clone(&source), stopping.clone());
    let socket = DebugSocket::bind(&flags.debug_socket).await?;
    let debug = tokio::spawn(debug::serve(socket, console, of_readers.clone()));
    let stream = Stream::of_control_plane(namespace, flags.projection_address, of_readers);
    let fabric = Fabric { server: local.server, namespace: namespace.to_owned() };
    let projections = tokio::spawn(stream.run(source, fabric, SystemClock, stopping));

    let ended = tokio::select! {
        asked = telemetry::asked_to_end() => asked.map(|()| None)?,
        ended = &mut running.task => Some(ended),
    };
    // The lease is given back when nothing acts any more: the next holder may begin at once.
    handle.stop();
    let result = match ended {
        Some(ended) => ended,
        None => running.task.await,
    };
    stop.send_replace(true);
    let _ = attached.lease.await;
    let _ = tokio::join!(debug, projections, exposition, authentication, webhooks);
    Ok(result??)
}

fn random<const N: usize>() -> Result<[u8; N], kube_io::Error> {
    kube_io::random_bytes()
}

/// Waits until the process is told to stop.
async fn told(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
