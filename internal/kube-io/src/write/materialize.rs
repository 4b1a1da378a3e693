//! What a shadow of a consumer stands for: a pod, or endpoints.

use liqo_model::{Kind, ObjectKey};
use liqo_reflection::kinds::{shadow_endpoint_slice, shadow_pod};
use liqo_reflection::policy::{PodPolicy, violations};
use liqo_reflection::{ReflectError, Tenant};
use serde_json::Value;

use super::forged;
use super::source::Consumer;
use super::step::Step;

/// What is to be done about the object of a shadow. The flag tells whether the consumer can be reached.
pub(super) fn step(
    key: &ObjectKey,
    shadow: &Value,
    (consumer, is_reachable): (&Consumer, bool),
    object: Option<&Value>,
) -> Step {
    let tenant = Tenant { consumer: &consumer.id, is_reachable, networks: Some(&consumer.networks) };
    if key.kind == Kind::Pod {
        return pod(key, shadow, &tenant, object);
    }
    let slice = shadow_endpoint_slice::endpoint_slice(shadow, object, &tenant);
    judged(key, slice, object, shadow_endpoint_slice::FIELDS)
}

/// The webhook has refused most of what is not allowed; this is what counts.
fn pod(key: &ObjectKey, shadow: &Value, tenant: &Tenant<'_>, object: Option<&Value>) -> Step {
    let found = violations(shadow, &PodPolicy::default());
    if let (None, Some(first)) = (object, found.first()) {
        return Step::Park(format!("{key} is not allowed: {} {}", first.path, first.message));
    }
    judged(key, shadow_pod::pod(shadow, object, tenant), object, shadow_pod::FIELDS)
}

fn judged(
    key: &ObjectKey,
    forged: Result<liqo_reflection::Forged, ReflectError>,
    object: Option<&Value>,
    fields: &[liqo_reflection::difference::Field],
) -> Step {
    match forged {
        Ok(forged) => forged::step(key, forged, object, fields),
        Err(error) => Step::Park(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn consumer() -> Consumer {
        Consumer { id: "rome-id".into(), networks: vec!["10.201.0.0/16".parse().unwrap()] }
    }

    fn shadow(spec: Value) -> Value {
        json!({
            "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowPod",
            "metadata": {
                "name": "web", "namespace": "shop-rome", "uid": "s",
                "labels": {"virtualkubelet.liqo.io/origin": "rome-id", "virtualkubelet.liqo.io/destination": "milan-id"},
            },
            "spec": {"pod": spec},
        })
    }

    fn step_for(shadow: &Value, object: Option<&Value>) -> Step {
        step(&ObjectKey::local(Kind::Pod, "shop-rome", "web"), shadow, (&consumer(), true), object)
    }

    #[test]
    fn a_pod_is_made_that_its_shadow_controls() {
        let spec =
            json!({"containers": [{"name": "a", "image": "i"}], "automountServiceAccountToken": false});
        let Step::Create(pod) = step_for(&shadow(spec), None) else { panic!("no pod") };
        assert_eq!(pod["metadata"]["labels"]["liqo.io/managed-by"], "shadowpod");
        assert_eq!(pod["metadata"]["ownerReferences"][0]["uid"], "s");
        assert_eq!(pod["spec"]["containers"][0]["image"], "i");
        // What the API server adds is no difference.
        let mut made = pod.clone();
        made["spec"]["nodeName"] = json!("n");
        made["metadata"]["uid"] = json!("p");
        let spec =
            json!({"containers": [{"name": "a", "image": "i"}], "automountServiceAccountToken": false});
        assert_eq!(step_for(&shadow(spec), Some(&made)), Step::Nothing);
    }

    #[test]
    fn a_pod_that_asks_for_too_much_is_not_made() {
        let spec = json!({"hostNetwork": true, "containers": [{"name": "a", "image": "i"}]});
        let step = step_for(&shadow(spec), None);
        assert!(matches!(&step, Step::Park(why) if why.contains("spec.pod.hostNetwork")), "{step:?}");
    }

    #[test]
    fn a_pod_of_somebody_else_is_left_alone() {
        let spec =
            json!({"containers": [{"name": "a", "image": "i"}], "automountServiceAccountToken": false});
        let step = step_for(&shadow(spec), Some(&json!({"metadata": {"name": "web", "uid": "x"}})));
        assert!(matches!(step, Step::Park(_)), "{step:?}");
    }
}
