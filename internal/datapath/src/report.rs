//! What an agent reports: what it has carried out, what it cannot, and how its peers are.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::SystemTime;

use liqo_model::{ClusterId, ClusterName};

use crate::check::Status;
use crate::desired::Position;

/// The state of an agent. A new one replaces the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last view that the kernel was made to match, as far as it could be; nothing before the first one.
    pub applied: Option<Position>,
    /// Whether a leader confirmed that view when this was written.
    pub current: bool,
    /// What could not be carried out, a sentence each.
    pub problems: Vec<String>,
    /// Peers by ID; a node reports none.
    pub peers: BTreeMap<ClusterId, PeerReport>,
}

/// The state of the connection to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerReport {
    /// Name of the peer.
    pub name: ClusterName,
    /// Whether it is there.
    pub status: Status,
    /// The status in a sentence.
    pub message: String,
    /// Microseconds that the last connection check took; nothing unless it is there.
    pub latency_micros: Option<u64>,
    /// Bytes of the tunnel that came from it since the gateway started.
    pub received_bytes: u64,
    /// Bytes of the tunnel that went to it since the gateway started.
    pub sent_bytes: u64,
    /// When a handshake last succeeded.
    pub last_handshake: Option<SystemTime>,
    /// Where its gateway is.
    pub endpoint: Option<SocketAddrV4>,
}

/// A status as 0.8.3 puts it.
pub(crate) fn sentence(status: Status) -> &'static str {
    match status {
        Status::Connecting => "VPN connection is being established",
        Status::Connected => "VPN connection established",
        Status::Error => "VPN connection lost: the peer does not answer connection checks",
    }
}
