//! `ShadowPod`: a pod that a consumer wants in a provider.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::absent;

/// Key of a schema that stands for the schema of another API; the value names that. Whoever makes a definition of the
/// schema puts the other one in its place.
pub const EMBEDDED_SCHEMA: &str = "x-liqo-embedded-schema";
/// The value of [`EMBEDDED_SCHEMA`] for the spec of a pod.
pub const POD_SPEC: &str = "core/v1 PodSpec";

/// The pod that is wanted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowPodSpec {
    /// Spec of the pod, as in a Pod.
    // Untyped, so that fields of other versions of Kubernetes reach the provider.
    #[serde(default, skip_serializing_if = "absent::is_default")]
    #[schemars(schema_with = "pod_spec")]
    pub pod: Value,
}

fn pod_spec(_: &mut SchemaGenerator) -> Schema {
    json_schema!({(EMBEDDED_SCHEMA): POD_SPEC})
}

impl fmt::Debug for ShadowPodSpec {
    /// Shows nothing of the pod: people put secrets into environment variables.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ShadowPodSpec").finish_non_exhaustive()
    }
}

/// What became of the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowPodStatus {
    /// Phase of the pod.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default, extend("default" = "Unknown"))]
    pub phase: ShadowPodPhase,
}

/// Phases of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ShadowPodPhase {
    /// Not all of its containers have started.
    Pending,
    /// At least one of its containers runs.
    Running,
    /// All of its containers ended well, for good.
    Succeeded,
    /// All of its containers ended, one of them badly, for good.
    Failed,
    /// Nobody knows. A value of another version means the same.
    #[default]
    #[serde(other)]
    Unknown,
}
