//! Tells the control plane what the gateway sees.

use std::net::Ipv4Addr;

use liqo_datapath::check::Status;
use liqo_datapath::{PeerReport, Report};
use liqo_projection_api::client::{self, Connection, Mounted};
use liqo_projection_api::{AgentReport, TunnelReport, TunnelStatus};
use tokio::sync::watch;

/// Reports until the gateway does no more.
pub fn tell(
    connection: Connection,
    credentials: Mounted,
    address: Ipv4Addr,
    reports: watch::Receiver<Report>,
) {
    let (into, told) = watch::channel(report(address, &reports.borrow()));
    tokio::spawn(client::report(connection, credentials, told));
    tokio::spawn(pass_on(address, reports, into));
}

async fn pass_on(address: Ipv4Addr, mut reports: watch::Receiver<Report>, into: watch::Sender<AgentReport>) {
    while reports.changed().await.is_ok() {
        let seen = report(address, &reports.borrow_and_update());
        into.send_if_modified(|known| {
            let modified = *known != seen;
            *known = seen;
            modified
        });
    }
}

fn report(address: Ipv4Addr, report: &Report) -> AgentReport {
    let tunnels = report.peers.iter().map(|(peer, seen)| (peer.clone(), tunnel(seen)));
    AgentReport { address: address.to_string(), tunnels: tunnels.collect() }
}

fn tunnel(peer: &PeerReport) -> TunnelReport {
    let status = match peer.status {
        Status::Connecting => TunnelStatus::Connecting,
        Status::Connected => TunnelStatus::Connected,
        Status::Error => TunnelStatus::Error,
    };
    TunnelReport { status, message: peer.message.clone(), latency_micros: peer.latency_micros }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_sees_of_a_peer_is_told() {
        let peer = PeerReport {
            name: "milan".into(),
            status: Status::Connected,
            message: "VPN connection established".to_owned(),
            latency_micros: Some(887),
            received_bytes: 1,
            sent_bytes: 2,
            last_handshake: None,
            endpoint: None,
        };
        let told = report(
            Ipv4Addr::new(10, 200, 1, 9),
            &Report { peers: [("milan-id".into(), peer)].into(), ..Report::default() },
        );
        let tunnel = &told.tunnels[&"milan-id".into()];
        assert_eq!((told.address.as_str(), tunnel.status), ("10.200.1.9", TunnelStatus::Connected));
        assert_eq!(tunnel.latency_micros, Some(887));
    }
}
