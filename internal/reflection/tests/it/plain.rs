//! ConfigMaps, Secrets and Services: one table for what they have in common, and one each for what they have not.

use liqo_reflection::kinds::{config_map, secret, service};
use liqo_reflection::{Forged, ReflectError, Transform, Why, difference};
use serde_json::{Value, json};

use crate::tree::{merge, with};
use crate::world::{MILAN, ROME, World, body};

fn config_map() -> Value {
    json!({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "demo", "uid": "u1"}, "data": {"k": "v"}})
}

fn secret() -> Value {
    json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "demo", "uid": "u1"}, "data": {"k": "dg=="}, "type": "Opaque"})
}

fn service() -> Value {
    json!({
        "kind": "Service", "metadata": {"name": "a", "namespace": "demo", "uid": "u1"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.80.0.9", "ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "a"}},
    })
}

fn kinds() -> [(Value, Transform); 3] {
    [(config_map(), config_map::remote), (secret(), secret::remote), (service(), service::remote)]
}

fn ours() -> Value {
    json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": ROME, "virtualkubelet.liqo.io/destination": MILAN}}})
}

fn forge(transform: Transform, home: &Value, existing: Option<&Value>) -> Forged {
    transform(home, existing, &World::default().context()).unwrap()
}

#[test]
fn the_annotation_and_the_owner_decide_before_the_content() {
    let skipping = json!({"metadata": {"annotations": {"liqo.io/skip-reflection": ""}}});
    let foreign = json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": MILAN}}});
    for (home, transform) in kinds() {
        let mine = with(home.clone(), &ours());
        let theirs = with(home.clone(), &foreign);
        assert!(matches!(forge(transform, &home, None), Forged::Object(_)));
        assert!(matches!(forge(transform, &home, Some(&mine)), Forged::Object(_)));
        assert_eq!(forge(transform, &home, Some(&theirs)), Forged::Skip(Why::NotOurs));
        let skipped = with(home.clone(), &skipping);
        assert_eq!(forge(transform, &skipped, None), Forged::Absent(Why::SkipAnnotation));
        assert_eq!(forge(transform, &skipped, Some(&mine)), Forged::Absent(Why::SkipAnnotation));
        assert_eq!(forge(transform, &skipped, Some(&theirs)), Forged::Skip(Why::NotOurs));
    }
}

#[test]
fn labels_and_annotations_of_home_are_copied_and_ours_win() {
    let noted = json!({"metadata": {
        "labels": {"app": "a", "virtualkubelet.liqo.io/origin": "somebody"},
        "annotations": {"note": "n", "liqo.io/home-uid": "of-a-third-cluster", "liqo.io/reflected-keys": "its"},
    }});
    for (home, transform) in kinds() {
        let forged = body(forge(transform, &with(home, &noted), None));
        assert_eq!(
            forged["metadata"],
            json!({
                "name": "a", "namespace": "demo-rome-03c9e0",
                "labels": {
                    "app": "a", "virtualkubelet.liqo.io/origin": ROME, "virtualkubelet.liqo.io/destination": MILAN,
                },
                "annotations": {
                    "note": "n", "liqo.io/home-uid": "u1",
                    "liqo.io/reflected-keys": "{\"annotations\":[\"note\"],\"labels\":[\"app\"]}",
                },
            })
        );
    }
}

#[test]
fn content_that_nobody_may_change_is_made_anew() {
    let frozen = |home: Value| with(with(home, &ours()), &json!({"immutable": true}));
    let (immutable, other) = (json!({"immutable": true}), json!({"data": {"k": "b3RoZXI="}}));
    for (home, transform) in [(config_map(), config_map::remote as Transform), (secret(), secret::remote)] {
        let existing = frozen(home.clone());
        let same = with(home.clone(), &immutable);
        assert!(matches!(forge(transform, &same, Some(&existing)), Forged::Object(_)));
        assert_eq!(
            forge(transform, &with(same, &other), Some(&existing)),
            Forged::Absent(Why::Immutable("data"))
        );
        assert_eq!(forge(transform, &home, Some(&existing)), Forged::Absent(Why::Immutable("immutable")));
    }
    let typed = with(secret(), &json!({"type": "kubernetes.io/tls"}));
    let existing = with(secret(), &ours());
    assert_eq!(forge(secret::remote, &typed, Some(&existing)), Forged::Absent(Why::Immutable("type")));
}

#[test]
fn secrets_with_tokens_of_service_accounts_are_left_alone() {
    let token = with(secret(), &json!({"type": "kubernetes.io/service-account-token"}));
    let existing = with(secret(), &ours());
    assert_eq!(forge(secret::remote, &token, Some(&existing)), Forged::Skip(Why::HoldsTokens));
    let labels = json!({"metadata": {"labels": {
        "virtualkubelet.liqo.io/service-account-for-pod-name": "p",
        "virtualkubelet.liqo.io/service-account-name": "s",
    }}});
    let tokens = with(existing, &labels);
    assert_eq!(forge(secret::remote, &secret(), Some(&tokens)), Forged::Skip(Why::HoldsTokens));
}

#[test]
fn every_type_of_secret_is_copied_as_it_is() {
    for kind in ["kubernetes.io/tls", "kubernetes.io/dockerconfigjson", "example.com/own"] {
        let forged = body(forge(secret::remote, &with(secret(), &json!({"type": kind})), None));
        assert_eq!((&forged["type"], &forged["data"]), (&json!(kind), &json!({"k": "dg=="})));
    }
}

#[test]
fn an_id_shorter_than_the_suffix_is_taken_whole() {
    let mut world = World::default();
    world.home.id = "ab".into();
    assert_eq!(config_map::remote_name("kube-root-ca.crt", &world.context()), "kube-root-ca.crt.ab");
}

#[test]
fn the_service_of_the_api_server_is_never_reflected() {
    let kubernetes = json!({"metadata": {"name": "kubernetes", "namespace": "default"}});
    let server = with(service(), &kubernetes);
    assert_eq!(forge(service::remote, &server, None), Forged::Skip(Why::BuiltIn));
    let own = with(service(), &json!({"metadata": {"name": "kubernetes"}}));
    assert!(matches!(forge(service::remote, &own, None), Forged::Object(_)));
}

/// The spec of the remote Service of one whose spec differs like this.
fn remote_spec(spec: Value) -> Value {
    body(forge(service::remote, &with(service(), &json!({"spec": spec})), None))["spec"].clone()
}

#[test]
fn addresses_and_ports_of_a_service_are_the_remote_clusters_own() {
    let given = json!({"clusterIPs": ["10.80.0.9"], "ipFamilies": ["IPv4"], "externalIPs": ["1.2.3.4"],
        "loadBalancerIP": "1.2.3.5", "healthCheckNodePort": 30_000, "sessionAffinityConfig": {"clientIP": {}}});
    let expected = json!({
        "type": "ClusterIP", "selector": {"app": "a"}, "ports": [{"port": 80, "protocol": "TCP", "nodePort": 0}],
    });
    assert_eq!(remote_spec(given), expected);
    assert_eq!(remote_spec(json!({"clusterIP": "None"}))["clusterIP"], "None");
    let port = |node_port: Value| json!({"type": "NodePort", "ports": [{"port": 80, "appProtocol": "h2c", "nodePort": node_port}]});
    let plain = json!([{"port": 80, "appProtocol": "h2c"}]);
    assert_eq!(remote_spec(port(json!(30_001)))["ports"], plain);
    assert_eq!(
        remote_spec(port(json!(0)))["ports"],
        json!([{"port": 80, "appProtocol": "h2c", "nodePort": 0}])
    );
    let forcing = |value: &str| {
        let patch = json!({"metadata": {"annotations": {"liqo.io/force-remote-node-port": value}}, "spec": port(json!(30_001))});
        body(forge(service::remote, &with(service(), &patch), None))["spec"]["ports"].clone()
    };
    assert_eq!(forcing("true"), json!([{"port": 80, "appProtocol": "h2c", "nodePort": 30_001}]));
    assert_eq!(forcing("false"), plain);
}

#[test]
fn what_a_user_chose_of_a_service_is_copied() {
    let chosen = json!({
        "type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack", "loadBalancerClass": "example.com/lb",
        "loadBalancerSourceRanges": ["10.0.0.0/8"], "publishNotReadyAddresses": true, "sessionAffinity": "ClientIP",
    });
    let spec = remote_spec(chosen.clone());
    assert_eq!(crate::tree::common(&spec, &chosen), chosen);
    let name = remote_spec(
        json!({"type": "ExternalName", "externalName": "example.com", "clusterIP": null, "ports": null}),
    );
    assert_eq!(
        name,
        json!({"type": "ExternalName", "externalName": "example.com", "selector": {"app": "a"}})
    );
}

#[test]
fn a_service_keeps_its_node_ports_and_follows_its_type() {
    let home = with(
        service(),
        &json!({"spec": {"type": "NodePort", "externalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "nodePort": 31_000}]}}),
    );
    let forged = body(forge(service::remote, &home, None));
    let allocated = json!({"spec": {"clusterIP": "10.80.7.7", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 32_000}]}});
    let mut existing = with(forged, &allocated);
    let again = body(forge(service::remote, &home, Some(&existing)));
    assert!(!difference::differs(&existing, &again, service::FIELDS));
    // A second port leaves the first one its node port.
    let second = json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 31_000}, {"port": 81, "protocol": "TCP", "nodePort": 31_001}]}});
    let wanted = body(forge(service::remote, &with(home.clone(), &second), Some(&existing)));
    let patch = difference::patch(&existing, &wanted, service::FIELDS).unwrap();
    let ports = json!([{"port": 80, "protocol": "TCP", "nodePort": 32_000}, {"port": 81, "protocol": "TCP"}]);
    assert_eq!(patch, json!({"spec": {"ports": ports}}));
    // No node ports any more.
    let wanted = body(forge(service::remote, &service(), Some(&existing)));
    let patch = difference::patch(&existing, &wanted, service::FIELDS).unwrap();
    merge(&mut existing, &patch);
    assert_eq!(
        existing["spec"],
        json!({"type": "ClusterIP", "clusterIP": "10.80.7.7", "selector": {"app": "a"}, "ports": [{"port": 80, "protocol": "TCP", "nodePort": 0}]})
    );
}

#[test]
fn a_service_that_becomes_headless_is_made_anew() {
    let existing = with(service(), &ours());
    let headless = with(service(), &json!({"spec": {"clusterIP": "None"}}));
    let made_anew = Forged::Absent(Why::Immutable("spec.clusterIP"));
    assert_eq!(forge(service::remote, &headless, Some(&existing)), made_anew);
    let was_headless = with(headless, &ours());
    assert_eq!(forge(service::remote, &service(), Some(&was_headless)), made_anew);
    let was_name = with(existing, &json!({"spec": {"type": "ExternalName", "clusterIP": null}}));
    assert!(matches!(forge(service::remote, &service(), Some(&was_name)), Forged::Object(_)));
}

#[test]
fn a_service_that_cannot_be_read_is_an_error_of_that_object() {
    let world = World::default();
    for (home, field) in [
        (json!({"kind": "Service", "metadata": {"name": "a", "namespace": "b"}}), "spec"),
        (with(service(), &json!({"spec": {"ports": 1}})), "spec.ports"),
    ] {
        let error = service::remote(&home, None, &world.context()).unwrap_err();
        assert!(matches!(&error, ReflectError::ReadObject { field: at, .. } if at == field), "{error}");
    }
}
