//! Endpoints, from home to ShadowEndpointSlices and from there to slices of the provider.

use std::net::IpAddr;

use liqo_model::ClusterId;
use liqo_reflection::kinds::endpoint_slice::{remote, untranslated};
use liqo_reflection::kinds::shadow_endpoint_slice::{self, foreign};
use liqo_reflection::{Forged, ReflectError, Tenant, Why, difference};
use serde_json::{Value, json};

use crate::tree::with;
use crate::world::{MILAN, ROME, Remapped, World, body, tenant};

fn slice(endpoints: Value) -> Value {
    json!({
        "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": endpoints,
        "metadata": {"name": "s", "namespace": "demo", "uid": "u1", "labels": {
            "kubernetes.io/service-name": "svc", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }},
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    })
}

fn forge(home: &Value, existing: Option<&Value>) -> Forged {
    remote(home, existing, &World::default().context()).unwrap()
}

/// The endpoints of the ShadowEndpointSlice.
fn remote_endpoints(endpoints: Value) -> Value {
    body(forge(&slice(endpoints), None))["spec"]["template"]["endpoints"].clone()
}

#[test]
fn an_endpoint_is_rewritten_field_by_field() {
    let endpoint = json!({
        "addresses": ["10.200.0.7", "10.200.0.8"], "nodeName": "rome-worker", "hostname": "h", "zone": "z",
        "conditions": {"ready": true, "serving": true, "terminating": false},
        "hints": {"forZones": [{"name": "z"}], "forNodes": [{"name": "rome-worker"}]},
        "targetRef": {"kind": "Pod", "namespace": "demo", "name": "p", "uid": "u"},
        "deprecatedTopology": {"a": "b"},
    });
    let expected = json!([{
        "addresses": ["10.201.0.7", "10.201.0.8"], "nodeName": "rome", "hostname": "h", "zone": "z",
        "conditions": {"ready": true}, "hints": {"forZones": [{"name": "z"}]},
        "targetRef": {"kind": "RemotePod", "namespace": "demo", "name": "p", "uid": "u"},
    }]);
    assert_eq!(remote_endpoints(json!([endpoint])), expected);
    let bare = json!([{"addresses": ["10.200.0.7"], "conditions": {"ready": null}}]);
    assert_eq!(
        remote_endpoints(bare),
        json!([{"addresses": ["10.201.0.7"], "nodeName": "rome", "conditions": {}}])
    );
}

#[test]
fn endpoints_on_the_virtual_node_of_the_peer_are_its_own() {
    let on = |node: &str| json!({"addresses": ["10.200.0.7"], "nodeName": node});
    assert_eq!(remote_endpoints(json!([on("liqo-milan")])), json!([]));
    let others = remote_endpoints(json!([on("liqo-milan"), on("liqo-naples"), on("rome-worker")]));
    assert_eq!(others.as_array().unwrap().len(), 2);
    assert_eq!(remote_endpoints(json!(null)), json!([]));
}

#[test]
fn endpoints_wait_one_by_one_for_their_addresses() {
    let home = slice(json!([
        {"addresses": ["10.200.0.7", "172.18.0.9"]}, {"addresses": ["172.18.0.8"]},
        {"addresses": ["172.18.0.1"], "nodeName": "liqo-milan"},
    ]));
    let world = World::default();
    let forged = body(forge(&home, None));
    let expected = json!([{"addresses": ["10.201.0.7"], "nodeName": "rome", "conditions": {}}]);
    assert_eq!(forged["spec"]["template"]["endpoints"], expected);
    let wanted: Vec<IpAddr> = vec!["172.18.0.8".parse().unwrap(), "172.18.0.9".parse().unwrap()];
    assert_eq!(untranslated(&home, &world.context()), Ok(wanted));
}

#[test]
fn nothing_is_cut_before_the_translation_is_known() {
    let world = World { addresses: Some(Remapped { is_known: false }), ..World::default() };
    let home = slice(json!([{"addresses": ["10.200.0.7"]}]));
    let expected = ReflectError::TranslateAddresses { object: "EndpointSlice demo/s".to_owned() };
    assert_eq!(remote(&home, None, &world.context()), Err(expected.clone()));
    assert_eq!(untranslated(&home, &world.context()), Err(expected));
    let off = World { addresses: None, ..World::default() };
    assert_eq!(remote(&home, None, &off.context()), Ok(Forged::Skip(Why::NoAddressReflection)));
    assert_eq!(untranslated(&home, &off.context()), Ok(vec![]));
}

#[test]
fn whose_slice_it_is_and_what_its_service_says_decide_first() {
    let home = slice(json!([{"addresses": ["172.18.0.8"]}]));
    let ours = |managed_by: &str| {
        json!({"metadata": {"labels": {
            "virtualkubelet.liqo.io/origin": ROME, "virtualkubelet.liqo.io/destination": MILAN,
            "endpointslice.kubernetes.io/managed-by": managed_by,
        }}})
    };
    let mine = ours("endpointslice.reflection.liqo.io");
    assert!(matches!(forge(&home, Some(&mine)), Forged::Object(_)));
    let of_service = ours("endpointslice-controller.k8s.io");
    assert_eq!(forge(&home, Some(&of_service)), Forged::Skip(Why::NotOurs));
    let skipped = with(home.clone(), &json!({"metadata": {"annotations": {"liqo.io/skip-reflection": ""}}}));
    assert_eq!(forge(&skipped, Some(&mine)), Forged::Absent(Why::SkipAnnotation));
    let mut world = World::default();
    world.skipped_services.insert("svc".to_owned());
    assert_eq!(remote(&home, Some(&mine), &world.context()), Ok(Forged::Absent(Why::ServiceSkipped)));
    assert_eq!(untranslated(&home, &world.context()), Ok(vec![]));
    let api_server = with(home.clone(), &json!({"metadata": {"name": "kubernetes", "namespace": "default"}}));
    assert_eq!(forge(&api_server, None), Forged::Skip(Why::BuiltIn));
    for kind in ["IPv6", "FQDN"] {
        let other = with(home.clone(), &json!({"addressType": kind}));
        assert_eq!(forge(&other, None), Forged::Skip(Why::AddressFamily));
    }
}

#[test]
fn a_slice_that_cannot_be_read_is_an_error_of_that_object() {
    for endpoints in [
        json!(1),
        json!([{}]),
        json!([{"addresses": "10.200.0.7"}]),
        json!([{"addresses": ["x"]}]),
        json!(["x"]),
    ] {
        let error = remote(&slice(endpoints), None, &World::default().context()).unwrap_err();
        assert!(matches!(error, ReflectError::ReadObject { .. }), "{error}");
    }
}

fn shadow(endpoints: Value) -> Value {
    json!({
        "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowEndpointSlice",
        "metadata": {"name": "s", "namespace": "demo-rome", "uid": "u2", "labels": {"virtualkubelet.liqo.io/origin": ROME}},
        "spec": {"template": {"addressType": "IPv4", "ports": [{"port": 80, "protocol": "TCP"}], "endpoints": endpoints}},
    })
}

/// The endpoints that milan publishes.
fn published(endpoints: Value, tenant: &Tenant<'_>) -> Value {
    body(shadow_endpoint_slice::endpoint_slice(&shadow(endpoints), None, tenant).unwrap())["endpoints"]
        .clone()
}

#[test]
fn endpoints_are_ready_only_while_the_consumer_is_reached() {
    let rome = ClusterId::from(ROME);
    let cut = Tenant { is_reachable: false, ..tenant(&rome) };
    for (conditions, ready) in [
        (json!({"ready": true}), true),
        (json!({"ready": false}), false),
        (json!({"ready": null}), true),
        (json!({}), true),
        (json!({"ready": true, "serving": true, "terminating": true}), true),
    ] {
        let endpoints = json!([{"addresses": ["10.201.0.7"], "conditions": conditions}]);
        let expected = |ready: bool| json!([{"addresses": ["10.201.0.7"], "conditions": {"ready": ready}}]);
        assert_eq!(published(endpoints.clone(), &tenant(&rome)), expected(ready));
        assert_eq!(published(endpoints, &cut), expected(false));
    }
}

#[test]
fn addresses_outside_of_the_consumers_networks_are_never_published() {
    let rome = ClusterId::from(ROME);
    let networks = ["10.201.0.0/16".parse().unwrap(), "10.82.0.0/16".parse().unwrap()];
    let tenant = Tenant { networks: Some(&networks), ..tenant(&rome) };
    let endpoints = json!([
        {"addresses": ["10.201.0.7", "169.254.169.254"], "unknown": 1}, {"addresses": ["127.0.0.1"]}, {"addresses": ["x", 1]},
        {"addresses": ["10.82.0.4"]},
    ]);
    let ready = json!({"ready": true});
    assert_eq!(
        published(endpoints.clone(), &tenant),
        json!([{"addresses": ["10.201.0.7"], "unknown": 1, "conditions": ready}, {"addresses": ["10.82.0.4"], "conditions": ready}])
    );
    assert_eq!(foreign(&shadow(endpoints), &tenant), ["169.254.169.254", "127.0.0.1", "x", "1"]);
}

#[test]
fn a_slice_of_the_provider_belongs_to_its_shadow() {
    let rome = ClusterId::from(ROME);
    let forge = |shadow: &Value, existing| {
        shadow_endpoint_slice::endpoint_slice(shadow, existing, &tenant(&rome)).unwrap()
    };
    let shadow = shadow(json!([]));
    let forged = body(forge(&shadow, None));
    assert_eq!(
        forged["metadata"]["ownerReferences"],
        json!([{
            "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowEndpointSlice", "name": "s", "uid": "u2",
            "controller": true, "blockOwnerDeletion": true,
        }])
    );
    assert_eq!(forged["metadata"]["labels"]["liqo.io/managed-by"], "shadowendpointslice");
    assert!(!difference::differs(
        &forged,
        &body(forge(&shadow, Some(&forged))),
        shadow_endpoint_slice::FIELDS
    ));
    let theirs = json!({"metadata": {"labels": {}}, "addressType": "IPv4"});
    assert_eq!(forge(&shadow, Some(&theirs)), Forged::Skip(Why::NotOurs));
    let other = with(forged.clone(), &json!({"addressType": "IPv6"}));
    assert_eq!(forge(&shadow, Some(&other)), Forged::Absent(Why::Immutable("addressType")));
    let gone = with(shadow.clone(), &json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}}));
    assert_eq!(forge(&gone, None), Forged::Skip(Why::Terminating));
    let stranger = with(shadow, &json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": "x"}}}));
    assert_eq!(forge(&stranger, None), Forged::Skip(Why::ForeignOrigin));
}
