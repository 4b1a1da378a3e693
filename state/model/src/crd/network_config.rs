//! `NetworkConfig`: how a cluster's network is reached, told to a peer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{ClusterIdentity, RemappedCidr};

/// Network of the cluster that sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkConfigSpec {
    /// Identity of the cluster that this is for.
    pub cluster: ClusterIdentity,
    /// CIDR of the sender's pods.
    #[serde(rename = "podCIDR")]
    pub pod_cidr: String,
    /// CIDR in which the sender maps addresses outside of its pods.
    #[serde(rename = "externalCIDR")]
    pub external_cidr: String,
    /// Address or host name of the sender's gateway.
    #[serde(rename = "endpointIP")]
    pub endpoint_ip: String,
    /// Technology of the tunnel: wireguard.
    pub backend_type: String,
    /// Settings of the tunnel, for wireguard publicKey and port.
    #[serde(rename = "backend_config", default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub backend_config: BTreeMap<String, String>,
}

/// What the receiver made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkConfigStatus {
    /// Whether the receiver has handled it.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default, extend("default" = false))]
    pub processed: bool,
    /// CIDR as which the receiver sees the sender's pods, or None.
    #[serde(rename = "podCIDRNAT", default, skip_serializing_if = "Option::is_none")]
    pub pod_cidr_nat: Option<RemappedCidr>,
    /// CIDR as which the receiver sees the sender's external CIDR, or None.
    #[serde(rename = "externalCIDRNAT", default, skip_serializing_if = "Option::is_none")]
    pub external_cidr_nat: Option<RemappedCidr>,
}
