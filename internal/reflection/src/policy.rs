//! What a pod of a consumer may ask of this cluster. One pure function: the webhook calls it to refuse early, the
//! writer of pods because it is the authority.
//!
//! A consumer is assumed hostile. The rules are those of the Pod Security Standards' baseline, whose source is the
//! Kubernetes documentation, and those that keep a tenant in its namespace: no service account, token, node or
//! priority of this cluster. What cannot be read is refused.

mod containers;
mod inspection;
mod pod;
mod rule;
mod security;
#[cfg(test)]
mod tests;
mod update;
mod volumes;

use std::collections::BTreeSet;

use serde_json::Value;

use inspection::Inspection;

pub use rule::Rule;
pub use update::update_violations;

/// What the administrator allows a peer. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodPolicy {
    /// Rules that do not hold for the peer.
    pub allowed: BTreeSet<Rule>,
}

/// One thing that a ShadowPod must not ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Path of the field in the ShadowPod.
    pub path: String,
    /// What is wrong with it, without values that a pod may hold in secret.
    pub message: String,
}

/// Everything that the pod in a ShadowPod must not ask for, in the order of its fields.
#[must_use]
pub fn violations(shadow: &Value, policy: &PodPolicy) -> Vec<Violation> {
    let mut inspection = Inspection::new(policy);
    match shadow.pointer("/spec/pod") {
        Some(spec @ Value::Object(_)) => {
            pod::inspect(spec, &mut inspection);
            volumes::inspect(spec, &mut inspection);
            containers::inspect(spec, &mut inspection);
        }
        _ => inspection.malformed("spec.pod", "a map"),
    }
    security::inspect_annotations(shadow, &mut inspection);
    inspection.found
}
