//! New pods of offloaded namespaces: they may run on virtual nodes, and where their namespace says.

use liqo_api::names::{VIRTUAL_NODE_TAINT, VIRTUAL_NODE_TAINT_EFFECT};
use liqo_domain::Placement;
use serde_json::{Value, json};

use super::{Judge, affinity, namespace_of};
use crate::answer::{Admission, Refusal};
use crate::patch::{Operation, append, at, dotted, set};
use crate::port::Verdicts;
use crate::review::Request;

const TOLERATIONS: &[&str] = &["spec", "tolerations"];
const TERMS: &[&str] = &[
    "spec",
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
];

impl<V: Verdicts> Judge<V> {
    pub(super) async fn pod(&self, request: &Request) -> Result<Admission, Refusal> {
        let namespace = namespace_of(request)?;
        let placement =
            self.settled(|| self.verdicts.placement(&namespace), Placement::may_change_soon).await?;
        match &placement {
            Placement::Undecided(why) => {
                Err(Refusal::Unavailable(format!("pods of namespace {namespace} cannot be placed: {why}")))
            }
            Placement::NotOffloaded | Placement::Local => Ok(Admission::unchanged()),
            Placement::Remote { .. } | Placement::LocalAndRemote { .. } => {
                patch(&request.object, &placement).map(Admission::with)
            }
        }
    }
}

/// What has to be changed in a pod that may run on virtual nodes.
fn patch(pod: &Value, placement: &Placement) -> Result<Vec<Operation>, Refusal> {
    if !at(pod, &["spec"]).is_some_and(Value::is_object) {
        return Err(Refusal::malformed("spec", "a map"));
    }
    let mut patch: Vec<Operation> = tolerate(pod)?.into_iter().collect();
    if let Some(ours) = affinity::required(placement) {
        let own = match at(pod, TERMS) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(own)) => own.as_slice(),
            Some(_) => return Err(Refusal::malformed(&dotted(TERMS), "a list")),
        };
        let terms = affinity::both(own, ours)?;
        patch.push(set(pod, TERMS, Value::Array(terms))?);
    }
    Ok(patch)
}

/// Adds the toleration, which a pod that was copied from another one may have.
fn tolerate(pod: &Value) -> Result<Option<Operation>, Refusal> {
    let toleration =
        json!({"key": VIRTUAL_NODE_TAINT, "operator": "Exists", "effect": VIRTUAL_NODE_TAINT_EFFECT});
    let known = at(pod, TOLERATIONS).and_then(Value::as_array);
    if known.is_some_and(|known| known.contains(&toleration)) {
        return Ok(None);
    }
    append(pod, TOLERATIONS, toleration).map(Some)
}
