//! Who a cluster is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Identity of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterIdentity {
    /// Unique identifier of the cluster.
    #[serde(rename = "clusterID")]
    pub cluster_id: String,
    /// Name that people gave the cluster.
    #[serde(rename = "clusterName")]
    pub cluster_name: String,
}
