//! Recorded objects of home lead to what version 0.8.3 made of them.

use liqo_reflection::kinds::{
    config_map, endpoint_slice, pod, pod_status, secret, service, shadow_endpoint_slice, shadow_pod,
};
use liqo_reflection::policy::{PodPolicy, violations};
use liqo_reflection::{Context, Forged, REFLECTORS, Tenant, Transform, Why, difference};
use serde_json::{Value, json};

use crate::tree::{common, without_news};
use crate::world::{ROME, World, body, case, recorded};

/// Our fields of the recorded remote object are those that are forged, whether or not it is there already. The only
/// patch would add the annotations that version 0.8.3 does not know.
fn agrees(home: &Value, remote: &Value, transform: Transform, context: &Context<'_>) -> Value {
    let name = &home["metadata"]["name"];
    let entry = REFLECTORS.iter().find(|reflector| reflector.remote.kind == remote["kind"]).unwrap();
    let mut news = json!({"liqo.io/home-uid": home["metadata"]["uid"]});
    for existing in [None, Some(remote)] {
        let forged = body(transform(home, existing, context).unwrap());
        if let Some(record) = forged["metadata"]["annotations"].get("liqo.io/reflected-keys") {
            news["liqo.io/reflected-keys"] = record.clone();
        }
        let patch = difference::patch(remote, &forged, entry.fields);
        assert_eq!(patch, Some(json!({"metadata": {"annotations": news}})), "{name}");
        let plain = without_news(forged);
        for key in ["name", "namespace", "labels", "annotations"] {
            assert_eq!(plain["metadata"].get(key), remote["metadata"].get(key), "{key} of {name}");
        }
        let (kind, version) = (&plain["kind"], &plain["apiVersion"]);
        assert_eq!((kind, version), (&remote["kind"], &remote["apiVersion"]), "{name}");
    }
    without_news(body(transform(home, None, context).unwrap()))
}

/// The cases of a file, of which all but the named ones have a remote object.
fn check(file: &str, without: &[(&str, Forged)], transform: Transform) {
    let world = World::default();
    let mut compared = 0;
    for case in recorded(file).as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        match without.iter().find(|(skipped, _)| *skipped == name) {
            Some((_, expected)) => {
                assert_eq!(case.get("remote"), None, "{name}");
                assert_eq!(transform(&case["home"], None, &world.context()).as_ref(), Ok(expected), "{name}");
            }
            None => {
                agrees(&case["home"], &case["remote"], transform, &world.context());
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "{file}");
}

#[test]
fn config_maps_are_those_of_version_0_8_3() {
    check("config_map.yaml", &[("app-skip", Forged::Absent(Why::SkipAnnotation))], config_map::remote);
}

#[test]
fn secrets_are_those_of_version_0_8_3() {
    check("secret.yaml", &[("app-sa-legacy-token", Forged::Skip(Why::HoldsTokens))], secret::remote);
}

#[test]
fn services_are_those_of_version_0_8_3() {
    check("service.yaml", &[], service::remote);
}

#[test]
fn endpoints_are_those_of_version_0_8_3_in_both_steps() {
    let (world, rome) = (World::default(), ROME.into());
    for case in recorded("endpoint_slice.yaml").as_array().unwrap() {
        let (home, shadow, slice) = (&case["home"], &case["shadow"], &case["remote"]);
        let forged = agrees(home, shadow, endpoint_slice::remote, &world.context());
        assert_eq!(forged["spec"], shadow["spec"]);
        let tenant = Tenant { consumer: &rome, is_reachable: true, networks: None };
        for existing in [None, Some(slice)] {
            let forged = body(shadow_endpoint_slice::endpoint_slice(shadow, existing, &tenant).unwrap());
            let plain = without_news(forged.clone());
            assert_eq!(plain, common(slice, &plain));
            let patch = difference::patch(slice, &forged, shadow_endpoint_slice::FIELDS);
            let record = &forged["metadata"]["annotations"]["liqo.io/reflected-keys"];
            assert_eq!(patch, Some(json!({"metadata": {"annotations": {"liqo.io/reflected-keys": record}}})));
        }
    }
}

#[test]
fn shadow_pods_are_those_of_version_0_8_3() {
    let world = World::with_tokens();
    for case in recorded("pod.yaml").as_array().unwrap() {
        let (home, shadow) = (&case["home"], &case["shadow"]);
        // One of the pods has ended, and would not be sent again.
        let mut young = home.clone();
        young.as_object_mut().unwrap().remove("status");
        let forged = agrees(&young, shadow, pod::remote, &world.context());
        assert_eq!(forged["spec"], shadow["spec"]);
        assert_eq!(pod::home_mark(home), None);
    }
}

#[test]
fn pods_of_shadow_pods_are_those_of_version_0_8_3() {
    let rome = ROME.into();
    let tenant = Tenant { consumer: &rome, is_reachable: true, networks: None };
    for case in recorded("pod.yaml").as_array().unwrap() {
        let (shadow, pod) = (&case["shadow"], &case["remote"]);
        assert_eq!(violations(shadow, &PodPolicy::default()), []);
        let mut young = shadow.clone();
        young.as_object_mut().unwrap().remove("status");
        let made = without_news(body(shadow_pod::pod(&young, None, &tenant).unwrap()));
        assert_eq!(made, common(pod, &made));
        assert_eq!(made["spec"], shadow["spec"]["pod"]);
        let forged = body(shadow_pod::pod(shadow, Some(pod), &tenant).unwrap());
        let record = &forged["metadata"]["annotations"]["liqo.io/reflected-keys"];
        assert_eq!(
            difference::patch(pod, &forged, shadow_pod::FIELDS),
            Some(json!({"metadata": {"annotations": {"liqo.io/reflected-keys": record}}}))
        );
        assert_eq!(shadow_pod::status_patch(shadow, pod), None);
    }
}

#[test]
fn statuses_of_home_pods_are_those_of_version_0_8_3() {
    let world = World::default();
    for case in recorded("pod.yaml").as_array().unwrap() {
        let (home, remote) = (&case["home"], &case["remote"]);
        let forged = pod_status::home_status(home, Some(remote), None, &world.context()).unwrap();
        let pod_status::HomeStatus::Status { status, restarts } = forged else { panic!("{forged:?}") };
        // Version 0.8.3 drops fields that are younger than itself; everything that it keeps is the same.
        assert_eq!(common(&status, &home["status"]), home["status"]);
        let younger = without_common(&status, &home["status"]);
        assert_eq!(younger, ["hostIPs"]);
        assert_eq!(restarts.before.len(), 0);
        assert_eq!(restarts.remote_uid.as_str(), remote["metadata"]["uid"]);
    }
}

/// Keys of the first map that the second one has not.
fn without_common(one: &Value, other: &Value) -> Vec<String> {
    let keys = one.as_object().unwrap().keys();
    keys.filter(|key| other.get(*key).is_none()).cloned().collect()
}

#[test]
fn the_certificate_authority_goes_back_and_forth_under_its_other_name() {
    let world = World::default();
    let context = world.context();
    let remote = case("config_map.yaml", "kube-root-ca.crt")["remote"]["metadata"]["name"].clone();
    assert_eq!(config_map::remote_name("kube-root-ca.crt", &context), remote.as_str().unwrap());
    let home_name = |name| config_map::home_name(name, &context);
    assert_eq!(home_name(remote.as_str().unwrap()).as_deref(), Some("kube-root-ca.crt"));
    assert_eq!(home_name("kube-root-ca.crt"), None);
    assert_eq!(home_name("app-config").as_deref(), Some("app-config"));
}
