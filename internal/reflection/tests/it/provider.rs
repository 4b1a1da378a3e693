//! ShadowPods and their pods in the provider.

use liqo_model::ClusterId;
use liqo_reflection::kinds::shadow_pod::{FIELDS, comes_back, pod, status_patch};
use liqo_reflection::{Forged, ReflectError, Why, difference};
use serde_json::{Value, json};

use crate::tree::with;
use crate::world::{ROME, body, tenant};

fn shadow() -> Value {
    json!({
        "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowPod",
        "metadata": {
            "name": "p", "namespace": "demo-rome", "uid": "s1", "finalizers": ["x"], "ownerReferences": [{"uid": "evil"}],
            "labels": {"app": "a", "virtualkubelet.liqo.io/origin": ROME}, "annotations": {"liqo.io/home-uid": "u1"},
        },
        "spec": {"pod": {"containers": [{"name": "c", "image": "example.com/app:1"}], "restartPolicy": "Always", "fromTheFuture": 1}},
    })
}

fn forge(shadow: &Value, existing: Option<&Value>) -> Forged {
    pod(shadow, existing, &tenant(&ClusterId::from(ROME))).unwrap()
}

/// The pod as the API server keeps it.
fn running() -> Value {
    let defaults = json!({
        "metadata": {"uid": "p1", "labels": {"theirs": "x"}}, "status": {"phase": "Running"},
        "spec": {"nodeName": "milan-worker", "tolerations": [{"key": "not-ready"}], "containers": [
            {"name": "c", "image": "example.com/app:1", "terminationMessagePath": "/dev/termination-log"},
        ]},
    });
    with(body(forge(&shadow(), None)), &defaults)
}

#[test]
fn a_pod_is_made_of_what_the_shadow_pod_says_and_belongs_to_it() {
    let expected = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "p", "namespace": "demo-rome",
            "labels": {"app": "a", "virtualkubelet.liqo.io/origin": ROME, "liqo.io/managed-by": "shadowpod"},
            "annotations": {
                "liqo.io/home-uid": "u1",
                "liqo.io/reflected-keys":
                    "{\"annotations\":[\"liqo.io/home-uid\"],\"labels\":[\"app\",\"virtualkubelet.liqo.io/origin\"]}",
            },
            "ownerReferences": [{
                "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowPod", "name": "p", "uid": "s1",
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": shadow()["spec"]["pod"],
    });
    assert_eq!(body(forge(&shadow(), None)), expected);
}

#[test]
fn a_consumer_cannot_hide_a_pod_from_accounting_or_call_it_another_ones() {
    let labels = json!({"metadata": {"labels": {"liqo.io/shadowPod": "true", "liqo.io/managed-by": "me"}}});
    let made = body(forge(&with(shadow(), &labels), None));
    assert_eq!(made["metadata"]["labels"]["liqo.io/managed-by"], "shadowpod");
    assert_eq!(made["metadata"]["labels"].get("liqo.io/shadowPod"), None);
    // A virtual kubelet of this cluster may have given it the label, and keeps it.
    let sent_on = with(running(), &json!({"metadata": {"labels": {"liqo.io/shadowPod": "true"}}}));
    assert_eq!(difference::patch(&sent_on, &body(forge(&shadow(), Some(&sent_on))), FIELDS), None);
    let stranger =
        with(shadow(), &json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": "other"}}}));
    assert_eq!(forge(&stranger, None), Forged::Skip(Why::ForeignOrigin));
    let nameless = with(shadow(), &json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": null}}}));
    assert_eq!(forge(&nameless, None), Forged::Skip(Why::ForeignOrigin));
}

#[test]
fn a_pod_that_has_ended_is_never_made_again() {
    for policy in ["Always", "OnFailure", "Never"] {
        for (phase, is_made) in [
            ("Pending", true),
            ("Running", true),
            ("Unknown", true),
            ("", true),
            ("Succeeded", false),
            ("Failed", false),
        ] {
            let patch = json!({"spec": {"pod": {"restartPolicy": policy}}, "status": {"phase": phase}});
            let forged = forge(&with(shadow(), &patch), None);
            assert_eq!(matches!(forged, Forged::Object(_)), is_made, "{policy} {phase}: {forged:?}");
            assert!(is_made || forged == Forged::Skip(Why::Completed));
        }
    }
}

/// The phase that the ShadowPod gets.
fn shown(policy: &str, phase: &str, is_deleted: bool) -> Option<String> {
    let mut pod = with(running(), &json!({"spec": {"restartPolicy": policy}, "status": {"phase": phase}}));
    if is_deleted {
        pod = with(pod, &json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}}));
    }
    let shadow = with(shadow(), &json!({"status": {"phase": "Running"}}));
    status_patch(&shadow, &pod).map(|patch| patch["status"]["phase"].as_str().unwrap().to_owned())
}

#[test]
fn a_shadow_pod_shows_the_phase_of_its_pod_but_no_end_that_is_none() {
    for (policy, phase, is_deleted, expected) in [
        ("Always", "Running", false, None),
        ("Always", "Pending", false, Some("Pending")),
        ("Always", "", false, Some("Pending")),
        ("Always", "Odd", false, Some("Unknown")),
        ("Always", "Failed", false, Some("Failed")),
        ("Always", "Succeeded", true, None),
        ("Always", "Failed", true, None),
        ("OnFailure", "Failed", true, None),
        ("OnFailure", "Succeeded", true, Some("Succeeded")),
        ("Never", "Failed", true, Some("Failed")),
        ("Never", "Succeeded", true, Some("Succeeded")),
    ] {
        assert_eq!(shown(policy, phase, is_deleted).as_deref(), expected, "{policy} {phase} {is_deleted}");
    }
    let deleted = json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}});
    let ended = with(with(running(), &deleted), &json!({"status": {"phase": "Succeeded"}}));
    assert!(comes_back(&ended));
    let patch = json!({"status": {"phase": "Succeeded"}});
    assert_eq!(status_patch(&with(shadow(), &deleted), &ended), Some(patch), "it goes with its ShadowPod");
    let stranger =
        with(running(), &json!({"metadata": {"ownerReferences": null}, "status": {"phase": "Failed"}}));
    assert_eq!(status_patch(&shadow(), &stranger), None);
}

#[test]
fn a_pod_of_somebody_else_is_not_touched() {
    let owner = |uid: &str, controller: bool| json!({"metadata": {"ownerReferences": [{"uid": uid, "controller": controller}]}});
    for patch in [json!({"metadata": {"ownerReferences": null}}), owner("s0", true), owner("s1", false)] {
        assert_eq!(forge(&shadow(), Some(&with(running(), &patch))), Forged::Skip(Why::NotOurs), "{patch}");
    }
    let terminating = json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}});
    assert_eq!(forge(&shadow(), Some(&with(running(), &terminating))), Forged::Skip(Why::Terminating));
    assert_eq!(forge(&with(shadow(), &terminating), None), Forged::Skip(Why::Terminating));
    assert_eq!(forge(&with(shadow(), &terminating), Some(&running())), Forged::Skip(Why::Terminating));
}

/// What has to change in the running pod for a ShadowPod that differs like this.
fn patch_for(patch: &Value, running: &Value) -> Option<Value> {
    difference::patch(running, &body(forge(&with(shadow(), patch), Some(running))), FIELDS)
}

#[test]
fn labels_annotations_images_tolerations_and_the_deadline_follow() {
    assert_eq!(patch_for(&json!({}), &running()), None);
    let labels = patch_for(&json!({"metadata": {"labels": {"app": "b"}}}), &running());
    assert_eq!(labels, Some(json!({"metadata": {"labels": {"app": "b"}}})));
    let gone = patch_for(&json!({"metadata": {"labels": {"app": null}}}), &running()).unwrap();
    assert_eq!(gone["metadata"]["labels"], json!({"app": null}));
    let image = json!({"spec": {"pod": {"containers": [{"name": "c", "image": "example.com/app:2", "command": ["x"]}]}}});
    let expected = json!({"spec": {"containers": [
        {"name": "c", "image": "example.com/app:2", "terminationMessagePath": "/dev/termination-log"},
    ]}});
    assert_eq!(patch_for(&image, &running()), Some(expected));
    let tolerations = json!({"spec": {"pod": {"tolerations": [{"key": "gpu"}, {"key": "not-ready"}]}}});
    let expected = json!({"spec": {"tolerations": [{"key": "not-ready"}, {"key": "gpu"}]}});
    assert_eq!(patch_for(&tolerations, &running()), Some(expected));
}

#[test]
fn a_deadline_only_comes_nearer_and_a_pod_that_ended_changes_no_more() {
    let deadline = |seconds: i64| json!({"spec": {"pod": {"activeDeadlineSeconds": seconds}}});
    let bound = with(running(), &json!({"spec": {"activeDeadlineSeconds": 60}}));
    let set = |seconds: i64| Some(json!({"spec": {"activeDeadlineSeconds": seconds}}));
    assert_eq!(patch_for(&deadline(90), &running()), set(90));
    assert_eq!(patch_for(&deadline(30), &bound), set(30));
    assert_eq!(patch_for(&deadline(90), &bound), None);
    assert_eq!(patch_for(&json!({}), &bound), None);
    let ended = with(running(), &json!({"status": {"phase": "Failed"}}));
    assert_eq!(patch_for(&deadline(30), &ended), None);
}

#[test]
fn a_shadow_pod_without_a_pod_is_an_error() {
    let empty = with(shadow(), &json!({"spec": null}));
    let error = pod(&empty, None, &tenant(&ClusterId::from(ROME))).unwrap_err();
    assert!(matches!(&error, ReflectError::ReadObject { field, .. } if field == "spec.pod"), "{error}");
}
