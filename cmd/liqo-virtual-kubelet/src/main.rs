//! The virtual kubelet of one peer: parses flags, wires the crates, runs until it is told to stop.

mod flags;

use std::error::Error;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use flags::{Command, Flags};
use liqo_assembly::virtual_node::{self, KubeletApi};
use liqo_domain::{KubeletMachine, kubelet_base_watches, kubelet_watches};
use liqo_engine::{Engine, Input, LogVolume, Options, SystemClock};
use liqo_events::{Configured, Event, KubeletSettings, Settings};
use liqo_kube_io::watch::Target;
use liqo_kube_io::write::WriterSettings;
use liqo_kube_io::{self as kube_io, Chance, Local, Reflecting, Reflections, Role};
use liqo_kubelet::CertificateType;
use liqo_projection_api::debug::{self, DebugService, DebugSocket};
use liqo_projection_api::{self as projection_api, EngineSource};
use liqo_reflection::Cluster;
use liqo_telemetry::{self as telemetry, Checks, Exposed, LogFormat};
use tokio::sync::watch;

type Failure = Box<dyn Error + Send + Sync>;

/// Name of the Lease of the process, in the tenant namespace.
const LEASE: &str = "virtual-kubelet";

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
    let address = flags.usable_address()?;
    let mut registry = telemetry::registry("virtual-kubelet", env!("CARGO_PKG_VERSION"));
    let of_engine = liqo_engine::Metrics::register(&mut registry);
    let of_servers = kube_io::Metrics::registered(&mut registry);
    let of_readers = projection_api::Metrics::register(&mut registry);
    let of_node = liqo_kubelet::Metrics::register(&mut registry);
    let (stop, stopping) = watch::channel(false);
    let readiness = Checks::new(&["cluster", "engine"]);
    let listening = telemetry::Listening::on(flags.metrics_address).await?;
    let exposed = Exposed { registry, health: Checks::default(), readiness: readiness.clone() };
    let exposition = tokio::spawn(telemetry::serve(listening, exposed, told(stopping.clone())));

    let mut chance = Chance::seeded(u64::from_be_bytes(kube_io::random_bytes()?));
    let tenant = flags.tenant_namespace.as_str();
    let local = Local::counted(flags.home_kubeconfig.as_deref(), tenant, of_servers, chance.split()).await?;
    let client = local.server.client().clone();
    let version = client.apiserver_version().await.map(|info| info.git_version).unwrap_or_default();
    let settings = settings(&flags, address, version);
    readiness.pass("cluster");
    let started = kube_io::started(&flags.instance, tenant, &flags.home_cluster_name)?;
    let holder = started.instance.clone();
    let (prefixes, known_prefixes) = watch::channel(None);
    let reflecting = reflecting(&flags, &settings, address, known_prefixes);
    let mut running = Engine::<KubeletMachine>::start(Options {
        log: Box::new(LogVolume::new(
            &flags.log_dir,
            liqo_log::Options::VIRTUAL_KUBELET,
            Arc::new(SystemClock),
        )),
        started,
        actuator: local.writer().with_settings(WriterSettings {
            reflections: Arc::new(Reflections(Some(reflecting))),
            ..WriterSettings::default()
        }),
        authority: Arc::new(local.guard()),
        clock: Arc::new(SystemClock),
        metrics: of_engine,
    })
    .await?;
    readiness.pass("engine");
    let handle = running.handle.clone();
    let configured = Event::Configured(Configured { settings: Settings::Kubelet(settings.clone()) });
    handle.inbox().send(Input::Observe(vec![configured])).await?;
    let known = virtual_node::follow(&handle);
    tokio::spawn(pass_on(virtual_node::part(known.clone(), |known| known.prefixes), prefixes));
    let role = Role {
        lease: LEASE.to_owned(),
        targets: kubelet_base_watches(&settings).iter().map(Target::of).collect(),
        wishes: kubelet_watches,
    };
    let attached = local.attach_as(role, &running, holder, (chance, told(stopping.clone()))).await?;
    let kubelet = KubeletApi {
        settings,
        client,
        servers: local.servers(),
        known,
        port: flags.listen_port,
        address,
        certificate: CertificateType::parse(&flags.certificate_type).unwrap_or(CertificateType::SelfSigned),
        metrics: of_node,
    };
    let kubelet = tokio::spawn(kubelet.run(stopping.clone()));
    let source = Arc::new(EngineSource::new(handle.clone()).led_by(local.guard().holder()));
    let console = DebugService::new(source, stopping);
    let socket = DebugSocket::bind(&flags.debug_socket).await?;
    let debug = tokio::spawn(debug::serve(socket, console, of_readers));

    let ended = tokio::select! {
        asked = telemetry::asked_to_end() => asked.map(|()| None)?,
        ended = &mut running.task => Some(ended),
    };
    handle.stop();
    let result = match ended {
        Some(ended) => ended,
        None => running.task.await,
    };
    stop.send_replace(true);
    let _ = attached.lease.await;
    let (_, kubelet, _) = tokio::join!(debug, kubelet, exposition);
    kubelet??;
    Ok(result??)
}

fn settings(flags: &Flags, address: IpAddr, version: String) -> KubeletSettings {
    KubeletSettings {
        remote: flags.foreign_cluster_id.as_str().into(),
        remote_name: flags.foreign_cluster_name.as_str().into(),
        home: flags.home_cluster_id.as_str().into(),
        home_name: flags.home_cluster_name.as_str().into(),
        tenant: flags.tenant_namespace.as_str().into(),
        node: flags.nodename.clone(),
        address: address.to_string(),
        version,
        check_network: flags.node_check_network,
    }
}

fn reflecting(
    flags: &Flags,
    settings: &KubeletSettings,
    node_ip: IpAddr,
    prefixes: watch::Receiver<Option<kube_io::Prefixes>>,
) -> Reflecting {
    Reflecting {
        home: Cluster { id: settings.home.clone(), name: settings.home_name.clone() },
        remote: Cluster { id: settings.remote.clone(), name: settings.remote_name.clone() },
        virtual_node: settings.node.as_str().into(),
        node_ip,
        prefixes,
        with_addresses: !flags.disable_ip_reflection,
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

/// Waits until the process is told to stop.
async fn told(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
