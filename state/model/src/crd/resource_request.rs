//! `ResourceRequest`: a consumer asks for resources.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{ClusterIdentity, Timestamp};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRequestSpec {
    /// Identity of the cluster that asks.
    pub cluster_identity: ClusterIdentity,
    /// URL of the authentication service of the cluster that asks.
    pub auth_url: String,
    /// When the cluster that asks wanted to give the resources back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal_timestamp: Option<Timestamp>,
}

/// What the provider answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRequestStatus {
    /// When the provider took its offer back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_withdrawal_timestamp: Option<Timestamp>,
    /// Whether there is an offer.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default, extend("default" = "None"))]
    pub offer_state: OfferState,
}

/// Whether the provider made an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OfferState {
    /// There is none.
    #[default]
    None,
    /// There is one.
    Created,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}
