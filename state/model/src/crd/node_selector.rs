//! `NodeSelector` of Kubernetes: which nodes are meant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;

/// Selects nodes that meet one of the terms. Without terms it selects all of them, in contrast to Kubernetes.
///
/// The schema requires the list, but it is read as empty when missing or null: Go writes null for an empty list, and the
/// API server removes the null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NodeSelector {
    /// Terms of which one has to be met.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default)]
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// Requirements that all have to be met. A term without requirements selects nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NodeSelectorTerm {
    /// Requirements on labels of the node.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// Requirements on fields of the node.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// A requirement on one label or field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeSelectorRequirement {
    /// Label or field that the requirement is about.
    pub key: String,
    /// Relation of its value to the values: In, NotIn, Exists, DoesNotExist, Gt or Lt.
    #[schemars(with = "String")]
    pub operator: NodeSelectorOperator,
    /// Values of the relation: none for Exists and DoesNotExist, one integer for Gt and Lt.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub values: Vec<String>,
}

/// Relations of a value to a list of values. The schema accepts any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeSelectorOperator {
    /// It is one of them.
    In,
    /// It is none of them, or missing.
    NotIn,
    /// It is there.
    Exists,
    /// It is missing.
    DoesNotExist,
    /// It is greater, as an integer.
    Gt,
    /// It is less, as an integer.
    Lt,
    /// No relation of Kubernetes.
    #[serde(other, skip_serializing)]
    Unrecognised,
}
