//! Pods on the virtual node in namespaces that are not extended.

use liqo_reflection::kinds::pod_status::{Rejection, rejection};
use serde_json::{Value, json};

use crate::tree::with;
use crate::world::case;

const NOW: &str = "2026-11-22T15:00:35Z";

fn pod(status: Value) -> Value {
    json!({"metadata": {"name": "p"}, "status": status})
}

/// Phase and reason that the pod gets.
fn verdict(status: Value) -> (String, String) {
    match rejection(&pod(status), NOW) {
        Rejection::Status(status) => {
            let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
            (text("phase"), text("reason"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn pods_wait_before_they_start_and_are_given_up_after() {
    let started = json!([{"name": "c", "ready": true}]);
    for (status, phase, reason) in [
        (json!({"phase": "Pending"}), "Pending", "OffloadingBackOff"),
        (json!({}), "Pending", "OffloadingBackOff"),
        (json!({"phase": "Pending", "containerStatuses": started}), "Failed", "OffloadingAborted"),
        (json!({"phase": "Running"}), "Failed", "OffloadingAborted"),
        (json!({"phase": "Failed", "reason": "Evicted"}), "Failed", "OffloadingAborted"),
        (json!({"phase": "Unknown"}), "Failed", "OffloadingAborted"),
    ] {
        assert_eq!(verdict(status.clone()), (phase.to_owned(), reason.to_owned()), "{status}");
    }
    assert_eq!(rejection(&pod(json!({"phase": "Succeeded"})), NOW), Rejection::Nothing);
    let terminating =
        with(pod(json!({"phase": "Running"})), &json!({"metadata": {"deletionTimestamp": NOW}}));
    assert_eq!(rejection(&terminating, NOW), Rejection::Delete);
}

#[test]
fn a_rejected_pod_is_that_of_version_0_8_3_and_is_not_rejected_again() {
    for name in ["forced", "aborted"] {
        let after = case("rejection.yaml", name)["after"].clone();
        assert_eq!(rejection(&after, "later"), Rejection::Nothing);
        // The recorded pod as it was before.
        let mut before = after.clone();
        before["status"].as_object_mut().unwrap().remove("reason");
        for condition in before["status"]["conditions"].as_array_mut().unwrap() {
            *condition = with(
                condition.clone(),
                &json!({"status": "True", "reason": null, "lastTransitionTime": "before"}),
            );
        }
        if name == "aborted" {
            before["status"]["phase"] = json!("Running");
            before["status"]["containerStatuses"][0]["ready"] = json!(true);
        }
        let now = after["status"]["conditions"][0]["lastTransitionTime"].as_str().unwrap();
        assert_eq!(rejection(&before, now), Rejection::Status(after["status"].clone()));
    }
}
