//! The spec that a remote pod gets: that of the home pod without what only its home can know.

use liqo_api::names::VIRTUAL_NODE_TAINT;
use serde_json::{Map, Value};

use super::{affinity, environment, volumes};
use crate::{ApiServerSupport, Context, ReflectError, fields};

/// Fields that mean something only where the pod was scheduled, or that name objects which are not reflected.
/// Everything else is copied, fields that are not known here included.
const DROPPED: &[&str] = &[
    "affinity",
    "ephemeralContainers",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "nodeName",
    "nodeSelector",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "resourceClaims",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "serviceAccount",
    "serviceAccountName",
];

/// The spec of the remote pod.
pub(super) fn forge(home: &Value, context: &Context<'_>) -> Result<Value, ReflectError> {
    let mut spec = fields::map(home, "/spec")?.clone();
    spec.retain(|key, _| !DROPPED.contains(&key.as_str()));
    // The remote cluster's own tokens are of no use to a pod of another one.
    spec.insert("automountServiceAccountToken".to_owned(), false.into());
    replace(&mut spec, "tolerations", tolerations(home)?);
    replace(&mut spec, "volumes", volumes::remote(home, context)?);
    if let Some(affinity) = affinity::preset(home) {
        spec.insert("affinity".to_owned(), affinity);
    }
    if let ApiServerSupport::TokenApi(server) = context.api_server {
        for list in ["containers", "initContainers"] {
            replace(&mut spec, list, environment::containers(home, list, server)?);
        }
        replace(&mut spec, "hostAliases", environment::host_aliases(home, server)?);
    }
    Ok(spec.into())
}

/// Puts a list in place of another one; an empty one only where a list was.
fn replace(spec: &mut Map<String, Value>, key: &str, list: Vec<Value>) {
    if !list.is_empty() || spec.contains_key(key) {
        spec.insert(key.to_owned(), list.into());
    }
}

/// All but the toleration of virtual nodes: the remote pod shall not be sent on.
fn tolerations(home: &Value) -> Result<Vec<Value>, ReflectError> {
    let tolerations = fields::list(home, "/spec/tolerations")?.iter();
    let kept = tolerations.filter(|toleration| fields::text(toleration, "/key") != VIRTUAL_NODE_TAINT);
    Ok(kept.cloned().collect())
}
