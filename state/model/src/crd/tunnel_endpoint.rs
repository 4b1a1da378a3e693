//! `TunnelEndpoint`: the tunnel to a peer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{ClusterIdentity, RemappedCidr, Timestamp};

/// Networks of both ends and how the other end is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TunnelEndpointSpec {
    /// Identity of the peer.
    pub cluster_identity: ClusterIdentity,
    /// CIDR of the pods of this cluster.
    #[serde(rename = "localPodCIDR")]
    pub local_pod_cidr: String,
    /// External CIDR of this cluster.
    #[serde(rename = "localExternalCIDR")]
    pub local_external_cidr: String,
    /// CIDR as which the peer sees the pods of this cluster, or None.
    #[serde(rename = "localNATPodCIDR", default)]
    pub local_nat_pod_cidr: RemappedCidr,
    /// CIDR as which the peer sees the external CIDR of this cluster, or None.
    #[serde(rename = "localNATExternalCIDR", default)]
    pub local_nat_external_cidr: RemappedCidr,
    /// CIDR of the pods of the peer.
    #[serde(rename = "remotePodCIDR")]
    pub remote_pod_cidr: String,
    /// External CIDR of the peer.
    #[serde(rename = "remoteExternalCIDR")]
    pub remote_external_cidr: String,
    /// CIDR as which this cluster sees the pods of the peer, or None.
    #[serde(rename = "remoteNATPodCIDR", default)]
    pub remote_nat_pod_cidr: RemappedCidr,
    /// CIDR as which this cluster sees the external CIDR of the peer, or None.
    #[serde(rename = "remoteNATExternalCIDR", default)]
    pub remote_nat_external_cidr: RemappedCidr,
    /// Address or host name of the peer's gateway.
    #[serde(rename = "endpointIP")]
    pub endpoint_ip: String,
    /// Technology of the tunnel: wireguard.
    pub backend_type: String,
    /// Settings of the tunnel, for wireguard publicKey and port.
    #[serde(rename = "backend_config", default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub backend_config: BTreeMap<String, String>,
}

/// State of the tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TunnelEndpointStatus {
    /// Index of the tunnel's interface.
    #[serde(rename = "tunnelIFaceIndex", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    #[schemars(transform = absent::without_format)]
    pub tunnel_iface_index: i64,
    /// Name of the tunnel's interface.
    #[serde(rename = "tunnelIFaceName", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    pub tunnel_iface_name: String,
    /// Index of the interface by which the gateway's node reaches the gateway.
    #[serde(rename = "vethIFaceIndex", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    #[schemars(transform = absent::without_format)]
    pub veth_iface_index: i64,
    /// Name of the interface by which the gateway's node reaches the gateway.
    #[serde(rename = "vethIFaceName", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    pub veth_iface_name: String,
    /// Address of the interface by which the gateway's node reaches the gateway.
    #[serde(rename = "vethIP", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    pub veth_ip: String,
    /// Address of the node on which the gateway is.
    #[serde(rename = "gatewayIP", default, deserialize_with = "absent::or_default")]
    #[serde(skip_serializing_if = "absent::is_default")]
    pub gateway_ip: String,
    /// State of the connection to the peer.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub connection: Connection,
}

/// State of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Whether the peer answers: Connected, Connecting or Error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub status: Option<ConnectionStatus>,
    /// The state in a sentence.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub status_message: String,
    /// Settings of the peer as they are used, among them endpointIP, port and allowedIPs.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub peer_configuration: BTreeMap<String, String>,
    /// How long a packet takes to the peer and back.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub latency: ConnectionLatency,
}

/// States of a connection. The schema accepts any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionStatus {
    /// The peer answers.
    Connected,
    /// It does not, yet or again.
    Connecting,
    /// The tunnel cannot be made.
    Error,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    Unrecognised,
}

/// How long a packet takes to the peer and back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionLatency {
    /// Time with its unit, or N/A.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub value: String,
    /// When it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}
