//! `NamespaceMap`: which namespaces a consumer wants in a provider, and which are there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;

/// Namespaces that the consumer wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceMapSpec {
    /// Name in the provider of each namespace of the consumer.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub desired_mapping: BTreeMap<String, String>,
}

/// Namespaces that the provider made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceMapStatus {
    /// What became of each namespace of the consumer.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub current_mapping: BTreeMap<String, RemoteNamespace>,
}

/// What became of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteNamespace {
    /// Name in the provider.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub remote_namespace: String,
    /// State of the namespace in the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<RemoteNamespacePhase>,
}

/// States of a namespace in the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RemoteNamespacePhase {
    /// It is there.
    Accepted,
    /// It cannot be made.
    CreationLoopBackOff,
    /// It is being removed.
    Terminating,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}
