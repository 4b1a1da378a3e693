//! What an agent sees, as it is told to the control plane.

use std::collections::BTreeMap;

use liqo_model::ClusterId;
use liqo_proto::projection as wire;

/// What an agent sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentReport {
    /// Address of the agent's pod.
    pub address: String,
    /// The tunnels that it keeps, by the peers that they lead to.
    pub tunnels: BTreeMap<ClusterId, TunnelReport>,
}

/// How a tunnel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelReport {
    /// In a word.
    pub status: TunnelStatus,
    /// In a sentence.
    pub message: String,
    /// Microseconds of a round trip; nothing unless the peer answers.
    pub latency_micros: Option<u64>,
}

/// Whether a peer answers through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelStatus {
    /// Not yet.
    Connecting,
    /// It does.
    Connected,
    /// It does not, or no more.
    Error,
}

impl AgentReport {
    /// Whether more than a figure differs.
    pub(crate) fn differs_in_status(&self, other: &Self) -> bool {
        let statuses = |report: &Self| -> Vec<(ClusterId, TunnelStatus)> {
            report.tunnels.iter().map(|(peer, tunnel)| (peer.clone(), tunnel.status)).collect()
        };
        self.address != other.address || statuses(self) != statuses(other)
    }

    pub(crate) fn to_wire(&self, topic: String) -> wire::ReportRequest {
        let peer = |(id, tunnel): (&ClusterId, &TunnelReport)| wire::PeerReport {
            cluster_id: id.to_string(),
            status: match tunnel.status {
                TunnelStatus::Connecting => wire::PeerStatus::Connecting,
                TunnelStatus::Connected => wire::PeerStatus::Connected,
                TunnelStatus::Error => wire::PeerStatus::Error,
            }
            .into(),
            message: tunnel.message.clone(),
            latency_micros: tunnel.latency_micros.unwrap_or_default(),
        };
        wire::ReportRequest {
            topic,
            address: self.address.clone(),
            peers: self.tunnels.iter().map(peer).collect(),
        }
    }

    /// A status that is not known is of a later version, and certainly not that of a connection.
    pub(crate) fn of_wire(request: wire::ReportRequest) -> Self {
        let tunnel = |peer: wire::PeerReport| {
            let status = match peer.status() {
                wire::PeerStatus::Connected => TunnelStatus::Connected,
                wire::PeerStatus::Error => TunnelStatus::Error,
                wire::PeerStatus::Connecting | wire::PeerStatus::Unspecified => TunnelStatus::Connecting,
            };
            let latency_micros = Some(peer.latency_micros).filter(|micros| *micros > 0);
            (
                ClusterId::from(peer.cluster_id.as_str()),
                TunnelReport { status, message: peer.message, latency_micros },
            )
        };
        Self { address: request.address, tunnels: request.peers.into_iter().map(tunnel).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let tunnel =
            |status, latency_micros| TunnelReport { status, message: "so".to_owned(), latency_micros };
        let report = AgentReport {
            address: "10.200.1.9".to_owned(),
            tunnels: [
                ("a".into(), tunnel(TunnelStatus::Connecting, None)),
                ("b".into(), tunnel(TunnelStatus::Connected, Some(900))),
                ("c".into(), tunnel(TunnelStatus::Error, None)),
            ]
            .into(),
        };
        assert_eq!(AgentReport::of_wire(report.to_wire("gateway".to_owned())), report);
    }
}
