//! `IpamStorage`: which networks and addresses are in use. There is one in a cluster.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{Base64Bytes, RemappedCidr};

/// Networks and addresses in use. Go writes every field, also those that are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpamStorageSpec {
    /// Networks that are in use, by CIDR, in the form of the library that Liqo 0.8.3 uses.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub prefixes: BTreeMap<String, Base64Bytes>,
    /// Networks from which free ones are taken, first come first.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub pools: Vec<String>,
    /// Networks that are never given to a peer.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub reserved_subnets: Vec<String>,
    /// Networks of each peer, by its identifier.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub cluster_subnets: BTreeMap<String, ClusterSubnets>,
    /// CIDR in which this cluster maps addresses outside of its pods.
    #[serde(rename = "externalCIDR")]
    pub external_cidr: String,
    /// Addresses that were mapped for peers, by the address in this cluster.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub endpoint_mappings: BTreeMap<String, EndpointMapping>,
    /// Peers that have a NatMapping, by identifier.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub nat_mappings_configured: BTreeMap<String, ConfiguredNatMapping>,
    /// CIDR of the pods of this cluster.
    #[serde(rename = "podCIDR")]
    pub pod_cidr: String,
    /// CIDR of the Services of this cluster.
    #[serde(rename = "serviceCIDR")]
    pub service_cidr: String,
}

/// Networks of a peer and how they are seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterSubnets {
    /// CIDR as which the peer sees the pods of this cluster, or None.
    #[serde(rename = "localNATPodCIDR")]
    pub local_nat_pod_cidr: RemappedCidr,
    /// CIDR as which this cluster sees the pods of the peer.
    #[serde(rename = "remotePodCIDR")]
    pub remote_pod_cidr: String,
    /// CIDR as which the peer sees the external CIDR of this cluster, or None.
    #[serde(rename = "localNATExternalCIDR")]
    pub local_nat_external_cidr: RemappedCidr,
    /// CIDR as which this cluster sees the external CIDR of the peer.
    #[serde(rename = "remoteExternalCIDR")]
    pub remote_external_cidr: String,
}

/// An address of this cluster that peers reach by another one. These two keys start with a capital.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointMapping {
    /// Address in the external CIDR of this cluster.
    #[serde(rename = "ExternalCIDROriginalIP")]
    pub external_cidr_original_ip: String,
    /// Address as each peer sees it, by the identifier of the peer.
    #[serde(rename = "clusterMappings", default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub cluster_mappings: BTreeMap<String, ClusterMapping>,
}

/// An address as one peer sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterMapping {
    /// Address in the CIDR as which the peer sees the external CIDR of this cluster.
    #[serde(rename = "ExternalCIDRNattedIP")]
    pub external_cidr_natted_ip: String,
}

/// A peer has a NatMapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfiguredNatMapping {}
