//! `ForeignCluster`: a peer, what is wanted from it, and how far that has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{ClusterIdentity, Timestamp};

/// What URLs of an authentication service look like. It is not anchored; a host without a dot does not match.
const AUTH_URL: &str =
    r"https:\/\/(www\.)?[-a-zA-Z0-9@:%._\+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b([-a-zA-Z0-9()@:%_\+.~#?&//=]*)";

/// What is wanted from the peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForeignClusterSpec {
    /// Whether traffic between the control planes goes through the tunnel (InBand) or beside it (OutOfBand). It never
    /// changes.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub peering_type: PeeringType,
    /// Identity of the peer. Once known it never changes.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub cluster_identity: ClusterIdentity,
    /// Whether this cluster uses resources of the peer. Auto leaves it to the way the peer was found.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub outgoing_peering_enabled: PeeringEnabled,
    /// Whether the peer may use resources of this cluster. Auto leaves it to the cluster's settings.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub incoming_peering_enabled: PeeringEnabled,
    /// URL of the authentication service of the peer.
    #[schemars(pattern(AUTH_URL))]
    pub foreign_auth_url: String,
    /// URL of an HTTP proxy through which the API server of the peer is reached.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub foreign_proxy_url: String,
    /// Whether the certificate of the peer's authentication service is accepted unchecked.
    #[serde(rename = "insecureSkipTLSVerify", default = "yes")]
    pub insecure_skip_tls_verify: bool,
    /// Seconds after which a peer that was discovered in the local network and is not seen again is removed.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    #[schemars(transform = absent::without_format)]
    pub ttl: u64,
}

const fn yes() -> bool {
    true
}

/// Which way the traffic between two control planes takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PeeringType {
    /// The API server and the authentication service of the peer are reached directly.
    #[default]
    OutOfBand,
    /// They are reached through the tunnel.
    InBand,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// Whether one direction of a peering is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PeeringEnabled {
    /// The policy decides.
    #[default]
    Auto,
    /// Not wanted.
    No,
    /// Wanted.
    Yes,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// How far the peering has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForeignClusterStatus {
    /// Namespaces in which the two clusters exchange objects.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub tenant_namespace: TenantNamespaces,
    /// State of each part of the peering.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub peering_conditions: Vec<PeeringCondition>,
}

impl ForeignClusterStatus {
    /// The status of one part of the peering: [`PeeringConditionStatus::None`] when it has no condition, and that of the
    /// first one when it has several.
    #[must_use]
    pub fn condition_status(&self, of: PeeringConditionType) -> PeeringConditionStatus {
        let condition = self.peering_conditions.iter().find(|condition| condition.condition_type == of);
        condition.map_or(PeeringConditionStatus::None, |condition| condition.status)
    }
}

/// Names of the tenant namespaces of a peering.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantNamespaces {
    /// Namespace in this cluster.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub local: String,
    /// Namespace in the peer.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub remote: String,
}

/// State of one part of a peering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeeringCondition {
    /// Part of the peering.
    #[serde(rename = "type")]
    pub condition_type: PeeringConditionType,
    /// State that it is in.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default, extend("default" = "None"))]
    pub status: PeeringConditionStatus,
    /// When state, reason or message changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    /// Cause of the state in one word.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub reason: String,
    /// Cause of the state in a sentence.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub message: String,
}

/// Parts of a peering that have a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PeeringConditionType {
    /// This cluster uses resources of the peer.
    OutgoingPeering,
    /// The peer uses resources of this cluster.
    IncomingPeering,
    /// The tunnel.
    NetworkStatus,
    /// Whether the API server of the peer answers.
    #[serde(rename = "APIServerStatus")]
    ApiServerStatus,
    /// The identity that the peer issued.
    AuthenticationStatus,
    /// Whether the object makes sense at all.
    ProcessForeignClusterStatus,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// States of a part of a peering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PeeringConditionStatus {
    /// Not there, and not wanted.
    #[default]
    None,
    /// On its way.
    Pending,
    /// It works.
    Established,
    /// On its way to an end.
    Disconnecting,
    /// The peer refused.
    Denied,
    /// The peer refused because there was no token.
    EmptyDenied,
    /// It fails; the message says why.
    Error,
    /// It worked.
    Success,
    /// Liqo does not take care of it.
    External,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}
