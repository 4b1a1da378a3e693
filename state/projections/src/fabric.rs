//! What the agents of the fabric are to do: the views of the topics `gateway` and `node/NAME`.
//!
//! | topic | key | entry |
//! |---|---|---|
//! | `gateway` | `gateway` | [`GatewaySettings`] |
//! | | `peer/CLUSTER-ID` | [`Peer`] |
//! | | `node/NAME` | [`OverlayNode`] |
//! | `node/NAME` | `node` | [`NodeSettings`] |
//! | | `gateway` | [`NodeGateway`] |
//! | | `peer/CLUSTER-ID` | [`NodePeer`] |
//!
//! An entry is a JSON object with camelCase keys. Members that a reader does not know are ignored. Nothing in it is a
//! secret: an agent finds its own private key in a mounted file.

mod from_state;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use liqo_model::{ClusterId, ClusterName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::view::View;

pub use from_state::{gateway_view, node_view};

/// The topic of the gateway.
pub const GATEWAY_TOPIC: &str = "gateway";

/// Keys of settings, and what keys of peers and nodes begin with.
const GATEWAY: &str = "gateway";
const NODE: &str = "node";
const PEER_PREFIX: &str = "peer/";
const NODE_PREFIX: &str = "node/";

/// The topic of a node's agent.
pub fn node_topic(node: &str) -> String {
    format!("{NODE_PREFIX}{node}")
}

/// The node that a topic is of, if it is one of a node's agent.
pub fn node_of_topic(topic: &str) -> Option<&str> {
    topic.strip_prefix(NODE_PREFIX)
}

/// The overlay between the gateway and the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vxlan {
    /// VXLAN network identifier, 24 bits.
    pub vni: u32,
    /// UDP port on which every end listens.
    pub port: u16,
}

/// What the gateway needs to know of its own cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySettings {
    /// This cluster.
    pub cluster_id: ClusterId,
    /// CIDR of the pods of this cluster (LP).
    pub pod_cidr: Ipv4Net,
    /// Bytes of the longest IP packet that passes tunnel and overlay.
    pub mtu: u16,
    /// UDP port on which WireGuard listens.
    pub listen_port: u16,
    /// The overlay.
    pub vxlan: Vxlan,
}

/// A peer as the gateway sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Identity of the peer, which answers to connection checks with it.
    pub cluster_id: ClusterId,
    /// Name of the peer, for people and metrics.
    pub cluster_name: ClusterName,
    /// Public key of the peer's gateway: 32 bytes in base64.
    pub public_key: String,
    /// Where the peer's gateway is.
    pub endpoint: Endpoint,
    /// CIDR by which this cluster names the peer's pods (RP).
    pub pod_cidr: Ipv4Net,
    /// CIDR by which this cluster names what the peer offers beside pods (RE).
    pub external_cidr: Ipv4Net,
    /// CIDR by which the peer names this cluster's pods (LN); nothing when it uses the real one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_pod_cidr: Option<Ipv4Net>,
    /// CIDR by which the peer names what this cluster offers beside pods (LX).
    pub local_external_cidr: Ipv4Net,
    /// Addresses in `local_external_cidr` and what each stands for. Its first one, network + 1, always stands for the
    /// end of the tunnel and need not be here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mappings: BTreeMap<Ipv4Addr, Ipv4Addr>,
}

/// Where a gateway is reached from outside of its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// IP address or DNS name.
    pub host: String,
    /// UDP port.
    pub port: u16,
}

/// A node as the gateway sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlayNode {
    /// Internal address of the node, where its end of the overlay listens.
    pub address: Ipv4Addr,
    /// CIDRs of the pods on it.
    pub pod_cidrs: Vec<Ipv4Net>,
}

/// What the agent of a node needs to know of its node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSettings {
    /// Internal address of the node.
    pub address: Ipv4Addr,
    /// Bytes of the longest IP packet that passes the overlay.
    pub mtu: u16,
    /// The overlay.
    pub vxlan: Vxlan,
}

/// The gateway as a node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGateway {
    /// Pod address of the active gateway.
    pub address: Ipv4Addr,
}

/// A peer as a node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodePeer {
    /// CIDR by which this cluster names the peer's pods (RP).
    pub pod_cidr: Ipv4Net,
    /// CIDR by which this cluster names what the peer offers beside pods (RE).
    pub external_cidr: Ipv4Net,
}

/// Everything in the topic of the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayView {
    /// Nothing before this cluster knows its own networks.
    pub settings: Option<GatewaySettings>,
    /// Peers by ID.
    pub peers: BTreeMap<ClusterId, Peer>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, OverlayNode>,
}

/// Everything in the topic of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeView {
    /// Nothing before the node has an address.
    pub settings: Option<NodeSettings>,
    /// Nothing while no gateway is active.
    pub gateway: Option<NodeGateway>,
    /// Peers by ID.
    pub peers: BTreeMap<ClusterId, NodePeer>,
}

/// An entry that says nothing: it is left out, and the others count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl GatewayView {
    /// The view as entries by key, as they are sent.
    pub fn entries(&self) -> View<serde_json::Value> {
        let mut entries = Entries::default();
        entries.put(GATEWAY.to_owned(), self.settings.as_ref());
        self.peers.iter().for_each(|(id, peer)| entries.put(format!("{PEER_PREFIX}{id}"), Some(peer)));
        self.nodes.iter().for_each(|(name, node)| entries.put(node_topic(name), Some(node)));
        entries.0
    }

    /// Reads entries. Keys of no known form are ignored.
    pub fn read<V: AsRef<str>>(view: &View<V>) -> (Self, Vec<Malformed>) {
        let (mut read, mut malformed) = (Self::default(), Vec::new());
        for (key, json) in view {
            let json = json.as_ref();
            if key == GATEWAY {
                read.settings = parsed(key, json, &mut malformed);
            } else if let Some(id) = key.strip_prefix(PEER_PREFIX) {
                read.peers.extend(parsed(key, json, &mut malformed).map(|peer| (ClusterId::from(id), peer)));
            } else if let Some(name) = key.strip_prefix(NODE_PREFIX) {
                read.nodes.extend(parsed(key, json, &mut malformed).map(|node| (name.to_owned(), node)));
            }
        }
        (read, malformed)
    }
}

impl NodeView {
    /// The view as entries by key, as they are sent.
    pub fn entries(&self) -> View<serde_json::Value> {
        let mut entries = Entries::default();
        entries.put(NODE.to_owned(), self.settings.as_ref());
        entries.put(GATEWAY.to_owned(), self.gateway.as_ref());
        self.peers.iter().for_each(|(id, peer)| entries.put(format!("{PEER_PREFIX}{id}"), Some(peer)));
        entries.0
    }

    /// Reads entries. Keys of no known form are ignored.
    pub fn read<V: AsRef<str>>(view: &View<V>) -> (Self, Vec<Malformed>) {
        let (mut read, mut malformed) = (Self::default(), Vec::new());
        for (key, json) in view {
            let json = json.as_ref();
            if key == NODE {
                read.settings = parsed(key, json, &mut malformed);
            } else if key == GATEWAY {
                read.gateway = parsed(key, json, &mut malformed);
            } else if let Some(id) = key.strip_prefix(PEER_PREFIX) {
                read.peers.extend(parsed(key, json, &mut malformed).map(|peer| (ClusterId::from(id), peer)));
            }
        }
        (read, malformed)
    }
}

#[derive(Default)]
struct Entries(View<serde_json::Value>);

impl Entries {
    /// Plain structs with text keys always become JSON.
    fn put(&mut self, key: String, entry: Option<&impl Serialize>) {
        self.0.extend(entry.and_then(|entry| serde_json::to_value(entry).ok()).map(|json| (key, json)));
    }
}

fn parsed<T: DeserializeOwned>(key: &str, json: &str, malformed: &mut Vec<Malformed>) -> Option<T> {
    serde_json::from_str(json)
        .map_err(|error| malformed.push(Malformed { key: key.to_owned(), reason: error.to_string() }))
        .ok()
}

#[cfg(test)]
mod from_state_tests;
#[cfg(test)]
mod tests;
