//! Pods of home become ShadowPods, from which the remote cluster makes pods and keeps them.

mod affinity;
mod changes;
mod environment;
mod spec;
mod volumes;

use liqo_api::labels::{LOCAL_POD, TRUE};
use serde_json::{Value, json};

use crate::difference::Field;
use crate::metadata::{Metadata, is_of_other_life};
use crate::names::OFFLOADING_ABORTED;
use crate::{Context, Forged, ReflectError, Resource, Why, fields, labels};

pub use volumes::{token_key, token_secret_name};

pub(super) use changes::{Bounds, changeable};

/// Fields of the ShadowPod that are ours.
pub const FIELDS: &[Field] = &[Field::whole("/spec/pod")];

/// The ShadowPod of a pod.
///
/// A new one gets the whole spec. In an existing one only what Kubernetes lets change in a pod follows the pod:
/// images, tolerations and the deadline. A pod that ended is never sent again, and a ShadowPod of an earlier pod of
/// the same name goes before the new one comes.
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the pod has no spec or a list in it is none.
pub fn remote(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Result<Forged, ReflectError> {
    if existing.is_some_and(|existing| !labels::is_ours(existing, context)) {
        return Ok(Forged::Skip(Why::NotOurs));
    }
    if fields::is_terminating(home) {
        return Ok(Forged::Absent(Why::HomeTerminating));
    }
    if is_aborted(home) {
        return Ok(Forged::Absent(Why::Aborted));
    }
    let spec = match existing {
        Some(existing) if is_of_other_life(existing, home) => return Ok(Forged::Absent(Why::OtherLife)),
        Some(existing) if fields::is_terminating(existing) => return Ok(Forged::Skip(Why::Terminating)),
        Some(existing) => {
            let now = existing.pointer("/spec/pod").unwrap_or(&Value::Null);
            changeable(now, &spec::forge(home, context)?, Bounds::None)
        }
        None if is_ended(home) => return Ok(Forged::Skip(Why::Completed)),
        None => spec::forge(home, context)?,
    };
    let mut metadata = Metadata::reflected(home, context);
    metadata.labels.remove(LOCAL_POD);
    let mut body = fields::object(Resource::SHADOW_POD, metadata.into_value());
    body.insert("spec".to_owned(), json!({"pod": spec}));
    Ok(Forged::Object(body.into()))
}

/// The merge patch that marks the home pod as one that runs elsewhere; nothing when it is marked.
#[must_use]
pub fn home_mark(home: &Value) -> Option<Value> {
    let is_marked = fields::label(home, LOCAL_POD) == Some(TRUE);
    (!is_marked).then(|| json!({"metadata": {"labels": {(LOCAL_POD): TRUE}}}))
}

/// Whether the pod was given up because its namespace was not extended any more.
#[must_use]
pub fn is_aborted(pod: &Value) -> bool {
    fields::text(pod, "/status/phase") == "Failed"
        && fields::text(pod, "/status/reason") == OFFLOADING_ABORTED
}

/// Whether the pod ended for good.
#[must_use]
pub fn is_ended(pod: &Value) -> bool {
    matches!(fields::text(pod, "/status/phase"), "Succeeded" | "Failed")
}
