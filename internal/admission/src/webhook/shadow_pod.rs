//! ShadowPods, which consumers write here: whose they are, and what they may ask for.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.7; what pods may ask for is `liqo_reflection::policy`. This refuses
//! early, so that the consumer is told; the writer of pods judges again and is the authority.

use liqo_api::labels::{ORIGIN, REMOTE_CLUSTER_ID};
use liqo_domain::NamespaceOrigin;
use liqo_model::ClusterId;
use liqo_reflection::policy::{Violation, update_violations, violations};
use serde_json::Value;

use super::{Judge, limits, namespace_of, old_text};
use crate::answer::{Admission, Refusal};
use crate::port::Verdicts;
use crate::review::Request;

/// Violations that are told of one object.
const TOLD: usize = 8;

impl<V: Verdicts> Judge<V> {
    pub(super) async fn new_shadow_pod(&self, request: &Request) -> Result<Admission, Refusal> {
        let shadow = &request.object;
        let namespace = namespace_of(request)?;
        let Some(origin) = origin(shadow) else {
            return Err(Refusal::Forbidden(format!(
                "label {ORIGIN} is missing: it has to name the cluster that the pod comes from"
            )));
        };
        // The namespace may be so new that this process has not seen it.
        let ask = || self.verdicts.namespace_origin(&namespace);
        let is_open = |owner: &NamespaceOrigin| !matches!(owner, NamespaceOrigin::Consumer(_));
        match self.settled(ask, is_open).await? {
            NamespaceOrigin::Consumer(owner) if owner == origin => {}
            NamespaceOrigin::Missing => {
                return Err(Refusal::Malformed(format!("there is no namespace {namespace}")));
            }
            NamespaceOrigin::Local | NamespaceOrigin::Consumer(_) => {
                return Err(Refusal::Forbidden(format!(
                    "label {REMOTE_CLUSTER_ID} of namespace {namespace} is not what label {ORIGIN} of the ShadowPod \
                     says: the namespace is not of cluster {origin}"
                )));
            }
        }
        self.unbounded(shadow)?;
        refuse(&violations(shadow, &self.verdicts.policy(&origin)))
    }

    /// Judges what a change makes of an object. What was wrong before is not held against it: it has to let itself be
    /// mended and deleted.
    pub(super) fn changed_shadow_pod(&self, request: &Request) -> Result<Admission, Refusal> {
        let (old, new) = (&request.old_object, &request.object);
        let changes = update_violations(old, new);
        if !changes.is_empty() {
            return refuse(&changes);
        }
        let policy = self.verdicts.policy(&origin(new).unwrap_or_default());
        let before = violations(old, &policy);
        let mut now = violations(new, &policy);
        now.retain(|violation| !before.contains(violation));
        refuse(&now)
    }

    /// Refuses containers without limits, if they have to have some.
    fn unbounded(&self, shadow: &Value) -> Result<(), Refusal> {
        let missing = if self.settings.resource_enforcement { limits::missing(shadow) } else { Vec::new() };
        if missing.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = missing.iter().take(TOLD).map(String::as_str).collect();
        Err(Refusal::Forbidden(format!(
            "this cluster takes only pods whose containers have limits; missing: {}{}",
            told.join(", "),
            more(missing.len())
        )))
    }
}

/// The consumer that a ShadowPod is of.
fn origin(shadow: &Value) -> Option<ClusterId> {
    let origin = old_text(shadow, &["metadata", "labels", ORIGIN], "");
    (!origin.is_empty()).then(|| origin.into())
}

fn refuse(violations: &[Violation]) -> Result<Admission, Refusal> {
    if violations.is_empty() {
        return Ok(Admission::unchanged());
    }
    let told: Vec<String> = violations
        .iter()
        .take(TOLD)
        .map(|Violation { rule, path, message }| format!("{path} {message} ({rule})"))
        .collect();
    Err(Refusal::Forbidden(format!(
        "this cluster does not take such a pod: {}{}",
        told.join("; "),
        more(violations.len())
    )))
}

fn more(all: usize) -> String {
    all.checked_sub(TOLD)
        .filter(|more| *more > 0)
        .map(|more| format!("; and {more} more"))
        .unwrap_or_default()
}
