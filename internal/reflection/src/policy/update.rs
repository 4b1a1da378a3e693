//! What may change in a ShadowPod that exists.

use liqo_api::labels::ORIGIN;
use serde_json::{Map, Value};

use super::{Rule, Violation};
use crate::fields;

/// Everything that differs between two versions of a ShadowPod and must not: the consumer that it comes from, and all
/// of the pod but images, tolerations and deadline. Whether what may change is allowed, says [`super::violations`].
#[must_use]
pub fn update_violations(old: &Value, new: &Value) -> Vec<Violation> {
    let refused = |path: &str, message: &str| Violation {
        rule: Rule::Update,
        path: path.to_owned(),
        message: message.to_owned(),
    };
    let mut found = Vec::new();
    let origin = fields::label(new, ORIGIN);
    if origin.is_none() || origin != fields::label(old, ORIGIN) {
        found.push(refused(&format!("metadata.labels[{ORIGIN}]"), "cannot be changed"));
    }
    let none = Map::new();
    let of =
        |shadow: &'_ Value| fixed(shadow.pointer("/spec/pod").and_then(Value::as_object).unwrap_or(&none));
    let (old, new) = (of(old), of(new));
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys.filter(|key| old.get(*key) != new.get(*key)) {
        found.push(refused(
            &format!("spec.pod.{key}"),
            "cannot be changed but for images, tolerations and deadline",
        ));
    }
    found
}

/// The pod without what may change.
fn fixed(pod: &Map<String, Value>) -> Map<String, Value> {
    let mut pod = pod.clone();
    pod.retain(|key, value| {
        !matches!(key.as_str(), "tolerations" | "activeDeadlineSeconds") && !value.is_null()
    });
    for list in ["containers", "initContainers"] {
        let containers = pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers.filter_map(Value::as_object_mut) {
            container.remove("image");
        }
    }
    pod
}
