//! How far a namespace has been extended.

use liqo_api::NamespaceOffloading;
use liqo_api::names::NAMESPACE_OFFLOADING;
use liqo_model::crd::{ConditionStatus, NamespaceOffloadingStatus, OffloadingPhase as Phase};

use crate::CtlError;
use crate::debug::plain;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in all selected clusters.
    Ready,
    /// No cluster is selected.
    NoClusterSelected,
    /// Not known yet; the text says what was seen.
    Waiting(String),
}

/// Reads the object; fails when it is gone or no cluster will have the namespace by waiting.
pub(crate) fn outcome(found: Option<&NamespaceOffloading>, namespace: &str) -> Result<Outcome, CtlError> {
    let refused = |fault: String, remedy: &str| CtlError::Object {
        object: format!("NamespaceOffloading {}/{NAMESPACE_OFFLOADING}", plain(namespace)),
        fault,
        remedy: remedy.to_owned(),
    };
    let found =
        found.ok_or_else(|| refused("was deleted by somebody else".to_owned(), "run the command again"))?;
    let status = found.status.clone().unwrap_or_default();
    let handled = found.metadata.generation.unwrap_or_default() <= status.observed_generation;
    match status.offloading_phase {
        Some(Phase::Ready) if handled => Ok(Outcome::Ready),
        Some(Phase::NoClusterSelected) if handled => Ok(Outcome::NoClusterSelected),
        Some(Phase::SomeFailed | Phase::AllFailed) if handled => Err(refused(
            format!("could not be made in every cluster: {}", said(found)),
            "a namespace of that name may exist there: see its owner, or offload with --namespace-mapping-strategy \
             DefaultName",
        )),
        _ if !handled => {
            Ok(Outcome::Waiting("the control plane has not handled the object in this form yet".to_owned()))
        }
        _ => Ok(Outcome::Waiting(said(found))),
    }
}

/// The phase, and the conditions that do not hold.
pub(crate) fn said(found: &NamespaceOffloading) -> String {
    let Some(status) = &found.status else {
        return "the control plane has not said anything about it yet".to_owned();
    };
    let phase = status.offloading_phase.map(|phase| format!("{phase:?}"));
    let phase = phase.unwrap_or_else(|| "not known".to_owned());
    let unmet = unmet(status);
    if unmet.is_empty() { format!("phase {phase}") } else { format!("phase {phase}; {}", unmet.join("; ")) }
}

fn unmet(status: &NamespaceOffloadingStatus) -> Vec<String> {
    let all = status.remote_namespaces_conditions.iter();
    let each =
        all.flat_map(|(cluster, conditions)| conditions.iter().map(move |condition| (cluster, condition)));
    let failed = each.filter(|(_, condition)| {
        condition.status != ConditionStatus::True && condition.reason != "ClusterNotSelected"
    });
    failed
        .map(|(cluster, condition)| {
            let (reason, message) = (plain(&condition.reason), plain(&condition.message));
            format!(
                "in {}: {:?} is {:?} ({reason}): {message}",
                plain(cluster),
                condition.condition_type,
                condition.status
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn seen(generation: i64, status: Value) -> Result<Outcome, String> {
        let found: NamespaceOffloading = serde_json::from_value(json!({
            "metadata": {"name": "offloading", "namespace": "demo", "generation": generation},
            "spec": {},
            "status": status,
        }))
        .map_err(|error| error.to_string())?;
        outcome(Some(&found), "demo").map_err(|error| error.to_string())
    }

    #[test]
    fn a_phase_counts_when_it_is_about_what_was_asked_for() {
        let phase =
            |observed: i64, phase: &str| json!({"observedGeneration": observed, "offloadingPhase": phase});
        assert_eq!(seen(2, phase(2, "Ready")), Ok(Outcome::Ready));
        assert_eq!(seen(2, phase(2, "NoClusterSelected")), Ok(Outcome::NoClusterSelected));
        assert!(matches!(seen(2, phase(1, "Ready")), Ok(Outcome::Waiting(_))));
        assert!(matches!(seen(2, phase(1, "AllFailed")), Ok(Outcome::Waiting(_))));
        assert_eq!(seen(2, phase(2, "InProgress")), Ok(Outcome::Waiting("phase InProgress".into())));
        assert!(matches!(seen(1, json!({})), Ok(Outcome::Waiting(_))));
        assert!(outcome(None, "demo").unwrap_err().to_string().contains("deleted by somebody else"));
    }

    #[test]
    fn a_failure_names_the_cluster_and_its_reason() {
        let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "it says"});
        let error = seen(
            1,
            json!({
                "observedGeneration": 1,
                "offloadingPhase": "SomeFailed",
                "remoteNamespacesConditions": {
                    "florence-7ab115": [condition("OffloadingRequired", "False", "ClusterNotSelected")],
                    "naples-5eada1": [condition("Ready", "False", "CreationLoopBackOff")],
                },
            }),
        )
        .unwrap_err();
        let expected = "NamespaceOffloading demo/offloading could not be made in every cluster: phase SomeFailed; in \
                        naples-5eada1: Ready is False (CreationLoopBackOff): it says: a namespace";
        assert!(error.starts_with(expected), "{error}");
    }
}
