//! With enforcement of resources, a pod of a consumer has to say what it needs at most: without that, nothing can be
//! counted against the offer.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.7. Whether the offer has that much left is for the writer to say, which
//! counts.

use serde_json::Value;

/// Paths of the limits that are missing in a ShadowPod.
pub(super) fn missing(shadow: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    for list in ["containers", "initContainers"] {
        let containers = shadow.pointer(&format!("/spec/pod/{list}")).and_then(Value::as_array);
        for (place, container) in containers.into_iter().flatten().enumerate() {
            for resource in ["cpu", "memory"] {
                let limit = container.pointer(&format!("/resources/limits/{resource}"));
                if limit.is_none_or(Value::is_null) {
                    missing.push(format!("spec.pod.{list}[{place}].resources.limits.{resource}"));
                }
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cpu_and_memory_of_every_container_are_needed() {
        let full = json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}});
        let half = json!({"resources": {"limits": {"cpu": "1", "memory": null}}});
        let shadow = |containers: Value, init: Value| json!({"spec": {"pod": {"containers": containers, "initContainers": init}}});
        assert_eq!(missing(&shadow(json!([full]), json!(null))), [""; 0]);
        assert_eq!(
            missing(&shadow(json!([full, half]), json!([{}]))),
            [
                "spec.pod.containers[1].resources.limits.memory",
                "spec.pod.initContainers[0].resources.limits.cpu",
                "spec.pod.initContainers[0].resources.limits.memory",
            ]
        );
    }
}
