//! ShadowPods of a consumer become pods in this cluster. Whether one may is for [`crate::policy`] to say, which has
//! to be asked before what is forged here is written.

use liqo_api::labels::{LOCAL_POD, MANAGED_BY, MANAGED_BY_SHADOW_POD, ORIGIN};
use serde_json::{Value, json};

use super::pod::{Bounds, changeable, is_ended};
use crate::difference::{Field, Mode};
use crate::metadata::Metadata;
use crate::{Forged, ReflectError, Resource, Tenant, Why, fields};

/// Fields of the pod that are ours. Most of its spec is what the API server made of ours, and cannot change.
pub const FIELDS: &[Field] = &[
    Field { path: "/metadata/ownerReferences", mode: Mode::Members(&["uid"], &[]) },
    Field::given("/spec/containers"),
    Field::given("/spec/initContainers"),
    Field::given("/spec/tolerations"),
    Field::given("/spec/activeDeadlineSeconds"),
];

/// The pod of a ShadowPod.
///
/// A pod that is gone is made anew, unless it had ended. In an existing one labels, annotations, images, tolerations
/// and the deadline follow the ShadowPod.
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the ShadowPod holds no pod.
pub fn pod(shadow: &Value, existing: Option<&Value>, tenant: &Tenant<'_>) -> Result<Forged, ReflectError> {
    if fields::label(shadow, ORIGIN) != Some(tenant.consumer.as_str()) {
        return Ok(Forged::Skip(Why::ForeignOrigin));
    }
    // Its pod goes with it, as that of any owner.
    if fields::is_terminating(shadow) {
        return Ok(Forged::Skip(Why::Terminating));
    }
    let wanted: Value = fields::map(shadow, "/spec/pod")?.clone().into();
    let mut metadata =
        Metadata::copied(shadow).with_label(MANAGED_BY, MANAGED_BY_SHADOW_POD).owned_by(shadow);
    // Pods with this label are not counted as using this cluster.
    metadata.labels.remove(LOCAL_POD);
    let spec = match existing {
        None if is_ended(shadow) => return Ok(Forged::Skip(Why::Completed)),
        None => Some(wanted),
        Some(pod) if !is_controlled_by(pod, shadow) => return Ok(Forged::Skip(Why::NotOurs)),
        Some(pod) if fields::is_terminating(pod) => return Ok(Forged::Skip(Why::Terminating)),
        Some(pod) if is_ended(pod) => None,
        Some(pod) => Some(changeable(pod.get("spec").unwrap_or(&Value::Null), &wanted, Bounds::OfPod)),
    };
    let mut body = fields::object(Resource::POD, metadata.into_value());
    body.extend(spec.map(|spec| ("spec".to_owned(), spec)));
    Ok(Forged::Object(body.into()))
}

/// Whether the pod belongs to this very object.
fn is_controlled_by(pod: &Value, owner: &Value) -> bool {
    let uid = fields::text(owner, "/metadata/uid");
    let owners = fields::items(pod, "/metadata/ownerReferences").iter();
    let is_controller = |reference: &Value| reference.get("controller") == Some(&Value::Bool(true));
    !uid.is_empty()
        && owners.into_iter().any(|owner| is_controller(owner) && fields::text(owner, "/uid") == uid)
}

/// The merge patch of the ShadowPod's status, to be written through it: the phase of its pod. Nothing when it is so
/// already.
///
/// A pod that is being deleted and comes back has not ended, so its phase is not shown: a ShadowPod in a terminal
/// phase is one whose pod is never made again.
#[must_use]
pub fn status_patch(shadow: &Value, pod: &Value) -> Option<Value> {
    let shown = fields::text(shadow, "/status/phase");
    let phase = match fields::text(pod, "/status/phase") {
        _ if !is_controlled_by(pod, shadow) => shown,
        _ if comes_back(pod) && !fields::is_terminating(shadow) => shown,
        "" => "Pending",
        phase @ ("Pending" | "Running" | "Succeeded" | "Failed") => phase,
        _ => "Unknown",
    };
    (phase != shown).then(|| json!({"status": {"phase": phase}}))
}

/// Whether a pod has ended only because it is being deleted, and its ShadowPod will make it anew.
///
/// A pod that runs for ever ends only so. One that runs until it succeeds or fails has then done so.
#[must_use]
pub fn comes_back(pod: &Value) -> bool {
    let policy = fields::text(pod, "/spec/restartPolicy");
    fields::is_terminating(pod)
        && match fields::text(pod, "/status/phase") {
            "Succeeded" => !matches!(policy, "Never" | "OnFailure"),
            "Failed" => policy != "Never",
            _ => false,
        }
}
