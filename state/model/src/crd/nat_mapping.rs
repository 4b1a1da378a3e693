//! `NatMapping`: addresses of this cluster that one peer reaches by other ones.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;

/// Addresses that are mapped for a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NatMappingSpec {
    /// Identifier of the peer.
    #[serde(rename = "clusterID")]
    pub cluster_id: String,
    /// CIDR as which this cluster sees the pods of the peer.
    #[serde(rename = "podCIDR")]
    pub pod_cidr: String,
    /// CIDR as which the peer sees the external CIDR of this cluster.
    #[serde(rename = "externalCIDR")]
    pub external_cidr: String,
    /// Address as the peer sees it, by the address in this cluster.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub cluster_mappings: BTreeMap<String, String>,
}

/// Nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NatMappingStatus {}
