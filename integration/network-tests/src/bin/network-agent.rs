//! One agent of the data path: `network-agent gateway ADDRESS FOLDER` or `network-agent node FOLDER`.
//!
//! Each line of standard input is an order, each line of standard output a report. The folder holds the keys and the
//! remembered view. It ends with its input.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use liqo_datapath::gateway::{self, Figures, GatewayOptions};
use liqo_datapath::node::{self, NodeOptions};
use liqo_datapath::{Desired, Metrics, Report, StateFile};
use liqo_network_tests::{AgentReport, Order, ReportedPeer};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::sync::watch;
use tokio::time::timeout;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    // Logs go to the test's own error output; boringtun tells as errors what our reports tell better.
    let filter = std::env::var("LIQO_LOG").unwrap_or_else(|_| "off".to_owned());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: Vec<String>) -> Result<(), Failure> {
    let folder = PathBuf::from(words.last().ok_or("no folder is given")?);
    let state = StateFile::at(folder.join("view.json"));
    let desired = watch::Sender::new(state.load().unwrap_or_default());
    let reports = watch::Sender::new(Report::default());
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let wanted = desired.subscribe();
    let telling = tokio::spawn(tell(reports.subscribe(), registry));
    let listening = tokio::spawn(listen(desired));
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["gateway", address, _] => {
            let address: Ipv4Addr = address.parse()?;
            let seed = u64::from(std::process::id());
            let figures = Figures::default();
            let options =
                GatewayOptions { address, keys: folder, state: Some(state), seed, metrics, figures };
            gateway::run(wanted, reports, options).await?;
        }
        ["node", _] => node::run(wanted, reports, NodeOptions { state: Some(state), metrics }).await?,
        _ => return Err("a role is missing: gateway or node".into()),
    }
    listening.await??;
    telling.abort();
    Ok(())
}

/// Passes orders on until the input ends.
async fn listen(desired: watch::Sender<Desired>) -> Result<(), Failure> {
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let order: Order = serde_json::from_str(&line)?;
        let view = order.view.into_iter().map(|(key, json)| (key, Arc::from(json.to_string())));
        desired.send_replace(Desired { at: order.at, view: Arc::new(view.collect()), current: true });
    }
    Ok(())
}

/// How often counters are looked at, which change without a report.
const LOOK: Duration = Duration::from_millis(100);

/// Prints each report, and counters that changed.
async fn tell(mut reports: watch::Receiver<Report>, registry: Registry) {
    let mut told = AgentReport::default();
    while !matches!(timeout(LOOK, reports.changed()).await, Ok(Err(_))) {
        let report = reports.borrow_and_update().clone();
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &registry);
        let line = AgentReport {
            applied: report.applied,
            current: report.current,
            problems: report.problems,
            peers: peers(&report.peers),
            changes: sum(&text, "liqo_fabric_changes_total"),
            repairs: sum(&text, "liqo_fabric_repairs_total"),
        };
        if let Ok(text) = serde_json::to_string(&line)
            && line != told
        {
            println!("{text}");
            told = line;
        }
    }
}

fn peers<K: ToString>(peers: &BTreeMap<K, liqo_datapath::PeerReport>) -> BTreeMap<String, ReportedPeer> {
    let peer = |peer: &liqo_datapath::PeerReport| ReportedPeer {
        status: format!("{:?}", peer.status),
        latency_micros: peer.latency_micros,
        received_bytes: peer.received_bytes,
        sent_bytes: peer.sent_bytes,
        endpoint: peer.endpoint.map(|endpoint| endpoint.to_string()),
        has_handshake: peer.last_handshake.is_some(),
    };
    peers.iter().map(|(id, report)| (id.to_string(), peer(report))).collect()
}

/// The sum of a counter over all its labels.
fn sum(text: &str, name: &str) -> u64 {
    let series = text.lines().filter(|line| line.starts_with(name));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
