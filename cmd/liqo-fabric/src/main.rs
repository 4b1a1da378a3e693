//! The agents of the fabric: parses flags, wires the crates, runs until it is told to stop.
//!
//! When it ends, the kernel keeps what it was told, so packets of a node go on; those of a gateway wait for the next one.

mod flags;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;
use flags::{Flags, Role, Shared};
use liqo_datapath::gateway::{self, Figures, GatewayOptions};
use liqo_datapath::node::{self, NodeOptions};
use liqo_datapath::{Metrics, Report, StateFile};
use liqo_projection_api::client::{Connection, Mounted};
use liqo_projections::fabric::{GATEWAY_TOPIC, node_topic};
use liqo_telemetry::{self as telemetry, Checks, Exposed, LogFormat};
use tokio::sync::watch;

type Failure = Box<dyn Error>;

/// What readiness waits for: that something was wanted and carried out.
const CARRIED_OUT: &str = "view";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let Err(error) = run(Flags::parse()).await else { return ExitCode::SUCCESS };
    eprintln!("error: {}", telemetry::chain(error.as_ref()));
    ExitCode::FAILURE
}

async fn run(flags: Flags) -> Result<(), Failure> {
    let Flags { role, shared } = flags;
    let format = if shared.log_json { LogFormat::Json } else { LogFormat::Text };
    telemetry::init_logging(format, &shared.log_filter)?;
    let (name, topic) = match &role {
        Role::Gateway { .. } => ("fabric-gateway", GATEWAY_TOPIC.to_owned()),
        Role::Node { node_name } => ("fabric-node", node_topic(node_name)),
    };
    let mut registry = telemetry::registry(name, env!("CARGO_PKG_VERSION"));
    let metrics = Metrics::register(&mut registry);
    let reports = watch::Sender::new(Report::default());
    let figures = match role {
        Role::Gateway { .. } => Figures::register(&mut registry, reports.subscribe()),
        Role::Node { .. } => Figures::default(),
    };
    let seed = liqo_datapath::seed()?;
    let state = StateFile::at(shared.state_dir.join("view.json"));
    let connection = connection(&shared, topic, seed);
    let credentials = Mounted { token: shared.token, authority: shared.authority };
    if let Role::Gateway { pod_ip, .. } = &role {
        liqo_fabric_agent::tell(connection.clone(), credentials.clone(), *pod_ip, reports.subscribe());
    }
    let desired = liqo_fabric_agent::follow(connection, credentials, &state);

    let (stop, stopping) = watch::channel(false);
    let readiness = Checks::new(&[CARRIED_OUT]);
    tokio::spawn(keep_readiness(reports.subscribe(), readiness.clone()));
    let listening = telemetry::Listening::on(shared.metrics_address).await?;
    let exposed = Exposed { registry, health: Checks::default(), readiness };
    let exposition = tokio::spawn(telemetry::serve(listening, exposed, told(stopping)));
    let agent = async move {
        match role {
            Role::Gateway { pod_ip: address, keys } => {
                let state = Some(state);
                let options = GatewayOptions { address, keys, state, seed, metrics, figures };
                gateway::run(desired, reports, options).await
            }
            Role::Node { .. } => {
                node::run(desired, reports, NodeOptions { state: Some(state), metrics }).await
            }
        }
    };
    tokio::select! {
        asked = telemetry::asked_to_end() => asked?,
        ended = agent => ended?,
    }
    stop.send_replace(true);
    Ok(exposition.await??)
}

fn connection(shared: &Shared, topic: String, seed: u64) -> Connection {
    let server_name = format!("liqo-fabric.{}.svc", shared.namespace);
    let address = match shared.control_plane.as_str() {
        "" => format!("https://{server_name}:6001"),
        given => given.to_owned(),
    };
    Connection { address, server_name, topic, seed }
}

/// Ready once a view was carried out, confirmed or remembered. Problems with single peers do not make it less ready: the
/// others need it.
async fn keep_readiness(mut reports: watch::Receiver<Report>, readiness: Checks) {
    let carried_out = reports.wait_for(|report| report.applied.is_some()).await;
    if carried_out.is_ok() {
        readiness.pass(CARRIED_OUT);
    }
}

/// Waits until the process is told to stop.
async fn told(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
