//! What may change in the spec of a pod that exists: images, tolerations, the deadline.

use serde_json::{Map, Value};

use crate::fields;

/// Which bounds the API server sets to such changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kinds) enum Bounds {
    /// None, as for the pod in a ShadowPod.
    None,
    /// Those of a pod: tolerations are only added, and the deadline is only set or comes nearer.
    OfPod,
}

/// The existing spec with the changes that are wanted and allowed; everything else is as it was.
pub(in crate::kinds) fn changeable(existing: &Value, wanted: &Value, rule: Bounds) -> Value {
    let Value::Object(existing) = existing else { return existing.clone() };
    let mut spec = existing.clone();
    for list in ["containers", "initContainers"] {
        let wanted = fields::items(wanted, &format!("/{list}"));
        if let Some(Value::Array(containers)) = spec.get_mut(list) {
            containers.iter_mut().for_each(|container| follow_image(container, wanted));
        }
    }
    set_tolerations(&mut spec, fields::items(wanted, "/tolerations"), rule);
    set_deadline(&mut spec, wanted.get("activeDeadlineSeconds"), rule);
    spec.into()
}

fn follow_image(container: &mut Value, wanted: &[Value]) {
    let name = fields::text(container, "/name");
    let wanted = wanted.iter().find(|wanted| fields::text(wanted, "/name") == name);
    let image = wanted.map(|wanted| fields::text(wanted, "/image")).unwrap_or_default().to_owned();
    if let (Value::Object(fields), false) = (container, image.is_empty()) {
        fields.insert("image".to_owned(), image.into());
    }
}

fn set_tolerations(spec: &mut Map<String, Value>, wanted: &[Value], rule: Bounds) {
    let now = spec.get("tolerations").and_then(Value::as_array).cloned().unwrap_or_default();
    let then = match rule {
        Bounds::None => wanted.to_vec(),
        Bounds::OfPod => {
            let added = wanted.iter().filter(|toleration| !now.contains(toleration));
            now.iter().chain(added).cloned().collect()
        }
    };
    if then != now {
        spec.insert("tolerations".to_owned(), then.into());
    }
}

fn set_deadline(spec: &mut Map<String, Value>, wanted: Option<&Value>, rule: Bounds) {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_null()) else { return };
    let seconds = |value: &Value| value.as_i64();
    let now = spec.get("activeDeadlineSeconds").and_then(seconds);
    let is_nearer = now.is_none_or(|now| seconds(wanted).is_some_and(|wanted| wanted < now));
    if rule == Bounds::None || is_nearer {
        spec.insert("activeDeadlineSeconds".to_owned(), wanted.clone());
    }
}
