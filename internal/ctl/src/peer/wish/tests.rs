//! What is written for which clusters that are known.

use super::*;

const ID: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";
const URL: &str = "https://172.18.2.1:31050";

fn wish() -> Wish {
    Wish::checked("milan", ID, URL).unwrap()
}

/// As a cluster of Liqo 0.8.3 has it after `peer out-of-band`.
fn milan() -> Value {
    json!({
        "apiVersion": "discovery.liqo.io/v1alpha1",
        "kind": "ForeignCluster",
        "metadata": {"name": "milan", "labels": {"discovery.liqo.io/cluster-id": ID}},
        "spec": {
            "clusterIdentity": {"clusterID": ID, "clusterName": "milan"},
            "foreignAuthUrl": URL,
            "incomingPeeringEnabled": "Auto",
            "insecureSkipTLSVerify": true,
            "outgoingPeeringEnabled": "Yes",
            "peeringType": "OutOfBand",
        },
    })
}

fn read(object: &Value) -> ForeignCluster {
    serde_json::from_value(object.clone()).unwrap()
}

fn changed(path: &str, value: Value) -> ForeignCluster {
    let mut object = milan();
    *object.pointer_mut(path).unwrap() = value;
    read(&object)
}

#[test]
fn an_unknown_cluster_is_written_as_liqo_writes_it() {
    assert_eq!(write_for(&[], &wish()).unwrap(), Write::Create);
    assert_eq!(serde_json::to_value(made(&wish())).unwrap(), milan());
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    assert_eq!(write_for(&[read(&milan())], &wish()).unwrap(), Write::Nothing { name: "milan".into() });
}

#[test]
fn only_what_differs_is_changed() {
    let cases = [
        ("/spec/outgoingPeeringEnabled", json!("Auto"), json!({"spec": {"outgoingPeeringEnabled": "Yes"}})),
        ("/spec/foreignAuthUrl", json!("https://old.example.org"), json!({"spec": {"foreignAuthUrl": URL}})),
        (
            "/spec/clusterIdentity",
            json!({"clusterID": "", "clusterName": ""}),
            json!({"spec": {"clusterIdentity": {"clusterID": ID, "clusterName": "milan"}}}),
        ),
        (
            "/metadata/labels",
            json!({}),
            json!({"metadata": {"labels": {"discovery.liqo.io/cluster-id": ID}}}),
        ),
    ];
    for (path, value, patch) in cases {
        let expected = Write::Change { name: "milan".into(), patch };
        assert_eq!(write_for(&[changed(path, value)], &wish()).unwrap(), expected, "{path}");
    }
    let mut proxied = read(&milan());
    proxied.spec.foreign_proxy_url = "http://10.0.0.1:8118".into();
    let patch = json!({"spec": {"foreignProxyUrl": ""}});
    assert_eq!(write_for(&[proxied], &wish()).unwrap(), Write::Change { name: "milan".into(), patch });
}

#[test]
fn what_cannot_be_is_refused_with_the_remedy() {
    let mut other = milan();
    other["metadata"]["labels"] = json!({"discovery.liqo.io/cluster-id": "other"});
    other["spec"]["clusterIdentity"]["clusterID"] = json!("other");
    let cases = [
        (read(&other), "ForeignCluster milan stands for cluster other: give this cluster another name"),
        (
            changed("/spec/peeringType", json!("InBand")),
            "ForeignCluster milan has spec.peeringType InBand, which never changes: unpeer from that cluster first",
        ),
        (
            changed(
                "/metadata",
                json!({"name": "milan", "deletionTimestamp": "2026-11-22T13:51:40Z", "labels": {CLUSTER_ID: ID}}),
            ),
            "ForeignCluster milan is being deleted: run the command again when it is gone",
        ),
    ];
    for (known, expected) in cases {
        assert_eq!(write_for(&[known], &wish()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn of_several_objects_for_one_cluster_the_oldest_counts() {
    let named = |name: &str, made: &str| {
        let labels = json!({CLUSTER_ID: ID});
        changed("/metadata", json!({"name": name, "creationTimestamp": made, "labels": labels}))
    };
    let known = [
        named("a", "2026-11-22T13:00:02Z"),
        named("b", "2026-11-22T13:00:01Z"),
        named("c", "2026-11-22T13:00:01Z"),
    ];
    assert_eq!(write_for(&known, &wish()).unwrap(), Write::Nothing { name: "b".into() });
}

#[test]
fn what_is_typed_is_checked_before_anything_is_written() {
    let refused = |name: &str, id: &str, url: &str| Wish::checked(name, id, url).unwrap_err().to_string();
    assert!(refused("Milan", ID, URL).starts_with("CLUSTER \"Milan\" is no DNS label"));
    assert!(refused("milan", "a/b", URL).starts_with("--cluster-id \"a/b\" is no DNS label"));
    assert!(refused(&"m".repeat(45), ID, URL).contains("is too long"));
    assert!(Wish::checked(&"m".repeat(44), ID, URL).is_ok());
    for url in ["http://a.example.org", "https://", "a.example.org:443", "https://a b.example.org"] {
        assert!(refused("milan", ID, url).starts_with("--auth-url "), "{url}");
    }
}

#[test]
fn a_direction_is_asked_for_once() {
    let peer = read(&milan());
    assert_eq!(enabled(&peer, PeeringEnabled::Yes), None);
    assert_eq!(enabled(&peer, PeeringEnabled::No), Some(json!({"spec": {"outgoingPeeringEnabled": "No"}})));
}
