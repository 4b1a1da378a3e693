//! Figures of the agents. Those of peers have the names and labels of 0.8.3.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::check::Status;
use crate::network::Interface;
use crate::report::{PeerReport, Report};
use crate::wireguard::{Drops, Reason};

const DRIVER: &str = "wireguard";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    object: &'static str,
}

/// Figures of one agent.
#[derive(Clone, Debug)]
pub struct Metrics {
    changes: Family<ObjectLabels, Counter>,
    repairs: Family<ObjectLabels, Counter>,
    problems: Gauge,
    current: Gauge,
}

impl Metrics {
    /// Makes the metrics and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            changes: Family::default(),
            repairs: Family::default(),
            problems: Gauge::default(),
            current: Gauge::default(),
        };
        registry.register(
            "liqo_fabric_changes",
            "Changes of the kernel's network configuration because something else was wanted",
            metrics.changes.clone(),
        );
        registry.register(
            "liqo_fabric_repairs",
            "Changes of the kernel's network configuration because somebody else had changed it",
            metrics.repairs.clone(),
        );
        registry.register(
            "liqo_fabric_problems",
            "Things that are wanted and cannot be carried out",
            metrics.problems.clone(),
        );
        registry.register(
            "liqo_fabric_view_current",
            "Whether a leader of the control plane confirms what the agent does",
            metrics.current.clone(),
        );
        metrics
    }

    /// Shows the peers of a gateway as it reports them, and what its tunnel dropped.
    pub(crate) fn show_gateway(registry: &mut Registry, reports: watch::Receiver<Report>, drops: Arc<Drops>) {
        registry.register_collector(Box::new(GatewayFigures { reports, drops }));
    }

    pub(crate) fn changed(&self, object: &'static str, is_repair: bool) {
        let family = if is_repair { &self.repairs } else { &self.changes };
        family.get_or_create(&ObjectLabels { object }).inc();
    }

    pub(crate) fn reported(&self, report: &Report) {
        self.problems.set(i64::try_from(report.problems.len()).unwrap_or(i64::MAX));
        self.current.set(i64::from(report.current));
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    driver: &'static str,
    device: &'static str,
    cluster_id: String,
    cluster_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ImplementationLabels {
    driver: &'static str,
    implementation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    reason: &'static str,
}

/// Peers and drops, read when somebody asks.
struct GatewayFigures {
    reports: watch::Receiver<Report>,
    drops: Arc<Drops>,
}

impl fmt::Debug for GatewayFigures {
    /// Names, as the debug output of registered metrics has them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("GatewayFigures").finish_non_exhaustive()
    }
}

impl Collector for GatewayFigures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let peers: Vec<(PeerLabels, PeerReport)> = self
            .reports
            .borrow()
            .peers
            .iter()
            .map(|(id, peer)| (labels(id.as_str(), peer), peer.clone()))
            .collect();
        let connected = || peers.iter().filter(|(_, peer)| peer.status == Status::Connected);
        let counter = MetricType::Counter;
        let help = "Bytes of the tunnel that came from the peer, while it is connected";
        let mut metric = encoder.encode_descriptor("liqo_peer_receive_bytes", help, None, counter)?;
        for (labels, peer) in connected() {
            metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(&peer.received_bytes, None)?;
        }
        let help = "Bytes of the tunnel that went to the peer, while it is connected";
        let mut metric = encoder.encode_descriptor("liqo_peer_transmit_bytes", help, None, counter)?;
        for (labels, peer) in connected() {
            metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(&peer.sent_bytes, None)?;
        }
        let help = "Microseconds that the last connection check took, while the peer is connected";
        let mut metric = encoder.encode_descriptor("liqo_peer_latency_us", help, None, MetricType::Gauge)?;
        for (labels, peer) in connected() {
            metric.encode_family(labels)?.encode_gauge(&peer.latency_micros.unwrap_or_default())?;
        }
        let help = "Whether the peer answers connection checks";
        let mut metric =
            encoder.encode_descriptor("liqo_peer_is_connected", help, None, MetricType::Gauge)?;
        for (labels, peer) in &peers {
            metric.encode_family(labels)?.encode_gauge(&i64::from(peer.status == Status::Connected))?;
        }
        self.encode_tunnel(&mut encoder)
    }
}

impl GatewayFigures {
    fn encode_tunnel(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let help = "How WireGuard is done";
        let name = "liqo_wireguard_implementation";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        let labels = ImplementationLabels { driver: DRIVER, implementation: "userspace" };
        metric.encode_family(&labels)?.encode_gauge(&1_i64)?;
        let help = "Packets and messages of the tunnel that went no further";
        let name = "liqo_fabric_tunnel_drops";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for reason in Reason::ALL {
            let labels = DropLabels { reason: reason.name() };
            let count = self.drops.get(reason);
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }
}

fn labels(id: &str, peer: &PeerReport) -> PeerLabels {
    PeerLabels {
        driver: DRIVER,
        device: Interface::Tunnel.name(),
        cluster_id: id.to_owned(),
        cluster_name: peer.name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::ClusterId;
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn peer(status: Status) -> PeerReport {
        PeerReport {
            name: "milan".into(),
            status,
            message: String::new(),
            latency_micros: Some(740),
            received_bytes: 11,
            sent_bytes: 22,
            last_handshake: None,
            endpoint: None,
        }
    }

    /// Series about peers and WireGuard, as they are scraped.
    fn scraped(status: Status) -> Vec<String> {
        let mut registry = Registry::default();
        let report = Report { peers: [(ClusterId::from("b66"), peer(status))].into(), ..Report::default() };
        let (_sender, reports) = watch::channel(report);
        Metrics::show_gateway(&mut registry, reports, Arc::default());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let series = text.lines().filter(|line| !line.starts_with('#') && !line.contains("drops"));
        series.map(str::to_owned).collect()
    }

    #[test]
    fn series_of_peers_are_those_of_upstream() {
        let labels = r#"driver="wireguard",device="liqo.tunnel",cluster_id="b66",cluster_name="milan""#;
        let expected = [
            format!("liqo_peer_receive_bytes_total{{{labels}}} 11"),
            format!("liqo_peer_transmit_bytes_total{{{labels}}} 22"),
            format!("liqo_peer_latency_us{{{labels}}} 740"),
            format!("liqo_peer_is_connected{{{labels}}} 1"),
            r#"liqo_wireguard_implementation{driver="wireguard",implementation="userspace"} 1"#.to_owned(),
        ];
        assert_eq!(scraped(Status::Connected), expected);
        let expected = [format!("liqo_peer_is_connected{{{labels}}} 0"), expected[4].clone()];
        assert_eq!(scraped(Status::Error), expected);
    }
}
