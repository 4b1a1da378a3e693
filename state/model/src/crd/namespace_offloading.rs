//! `NamespaceOffloading`: a namespace is extended to other clusters.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{NodeSelector, Timestamp};

/// How the namespace is extended, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceOffloadingSpec {
    /// How the namespace is called in other clusters: as here (EnforceSameName), or with the name of this cluster behind
    /// it (DefaultName). It never changes.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub namespace_mapping_strategy: NamespaceMappingStrategy,
    /// Where pods of the namespace may run.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub pod_offloading_strategy: PodOffloadingStrategy,
    /// Clusters that the namespace is extended to, selected by the labels of their virtual nodes. Without terms it is
    /// extended to all of them.
    // Written even when empty: a controller in Go cannot finalise an object without it.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub cluster_selector: NodeSelector,
}

/// How a namespace is called in other clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NamespaceMappingStrategy {
    /// As here.
    EnforceSameName,
    /// As here, and the name of this cluster behind it.
    #[default]
    DefaultName,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// Where pods may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PodOffloadingStrategy {
    /// On nodes of this cluster.
    Local,
    /// On virtual nodes.
    Remote,
    /// On both.
    #[default]
    LocalAndRemote,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// How far the extension has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceOffloadingStatus {
    /// Name of the namespace in other clusters.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub remote_namespace_name: String,
    /// State over all clusters: Ready, NoClusterSelected, InProgress, SomeFailed, AllFailed or Terminating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub offloading_phase: Option<OffloadingPhase>,
    /// State in each cluster, by the name of its NamespaceMap.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub remote_namespaces_conditions: BTreeMap<String, Vec<RemoteNamespaceCondition>>,
    /// Generation of this object that the status is about.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub observed_generation: i64,
}

/// State of an extension over all clusters. The schema accepts any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OffloadingPhase {
    /// The namespace is in all selected clusters.
    Ready,
    /// No cluster is selected.
    NoClusterSelected,
    /// It is not in all of them yet.
    InProgress,
    /// It could not be made in some.
    SomeFailed,
    /// It could not be made in any.
    AllFailed,
    /// It is being removed.
    Terminating,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    Unrecognised,
}

/// One aspect of a namespace in another cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteNamespaceCondition {
    /// Aspect: OffloadingRequired or Ready.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub condition_type: RemoteNamespaceConditionType,
    /// Whether it holds: True, False or Unknown.
    #[schemars(with = "String")]
    pub status: ConditionStatus,
    /// When that changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    /// Cause in one word.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub reason: String,
    /// Cause in a sentence.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub message: String,
}

/// Aspects of a namespace in another cluster. The schema accepts any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RemoteNamespaceConditionType {
    /// The cluster is selected.
    OffloadingRequired,
    /// The namespace is there.
    Ready,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    Unrecognised,
}

/// Whether something holds. The schema accepts any text, and what is no other value is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows.
    #[serde(other)]
    Unknown,
}
