//! What can go wrong when definitions are made. None of it depends on input; a test makes all of them.

use liqo_model::Kind;

/// Why a definition could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema of a kind is not one that a definition can hold.
    #[error(
        "the schema of {kind} does not fit into a definition: look at the schema attributes of its fields"
    )]
    Schema {
        /// Kind whose schema it is.
        kind: Kind,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The schema of a pod lacks a type that is to be amended.
    #[error(
        "the schema of a pod has no {name}: another version of k8s-openapi names it differently, so amend pod_spec.rs"
    )]
    PodSchema {
        /// Type, or type and field, that is missing.
        name: String,
    },
    /// A definition cannot be written as YAML.
    #[error("the definition of {kind} cannot be written as YAML")]
    Yaml {
        /// Kind whose definition it is.
        kind: Kind,
        /// Why not.
        source: serde_saphyr::SerializeError,
    },
}
