//! Projections of small objects of every kind, and of anything at all.

use std::collections::BTreeMap;

use liqo_events::{
    BodyDigest, ClusterIdentityFacts, Condition, ContainerFacts, ContainerPhase, Facts, ForeignClusterFacts,
    MappingFacts, MappingStrategy, NamespaceFacts, NamespaceMapFacts, NodeFacts, OffloadingFacts, Owner,
    PeeringType, PodFacts, PodStrategy, Reflection, Replication, Requirement, SelectorTerm, Switch,
    UnixMillis,
};
use liqo_model::{Kind, ObjectKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::project;
use crate::DigestKey;

/// Any JSON, with keys that mean something and keys that do not.
pub(crate) fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9_f64..1e9).prop_map(Value::from),
        "[a-zA-Z0-9é \"\\\\.-]{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "metadata",
            "spec",
            "status",
            "labels",
            "finalizers",
            "ownerReferences",
            "containers",
            "containerStatuses",
            "state",
            "resources",
            "requests",
            "cpu",
            "desiredMapping",
            "currentMapping",
            "clusterIdentity",
            "peeringConditions",
            "remoteNamespacesConditions",
            "clusterSelector",
            "nodeSelectorTerms",
            "matchExpressions",
            "peeringType",
            "data",
            "podIPs",
            "name",
            "type",
        ])
        .prop_map(str::to_owned),
        "[a-z]{0,4}",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The key of digests in tests.
pub(super) fn key() -> DigestKey {
    DigestKey::new(&[1; 16]).unwrap()
}

fn facts(kind: Kind, body: &Value) -> Facts {
    project(&ObjectKey::local(kind, "", "x"), body, &key())
}

fn malformed(kind: Kind, body: &Value) -> String {
    match facts(kind, body) {
        Facts::Malformed(reason) => reason,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn no_json_panics(body in arbitrary_json()) {
        for kind in Kind::ALL {
            let _ = facts(*kind, &body);
        }
    }

    #[test]
    fn reasons_have_a_bound(text in "[a-zé]{0,2000}") {
        let reason = malformed(Kind::ForeignCluster, &json!({"spec": {"peeringType": format!("x{text}")}}));
        prop_assert!(reason.len() <= 512);
    }
}

/// Digests of nothing.
pub(super) fn null() -> BodyDigest {
    key().part(&Value::Null)
}

/// Digest of an empty half.
pub(super) fn empty() -> BodyDigest {
    key().part(&json!({}))
}

fn empty_reflection() -> Reflection {
    Reflection { content: key().content(&json!({})), status: null(), ..Reflection::default() }
}

#[test]
fn an_empty_object_has_the_defaults() {
    let body = json!({});
    assert_eq!(facts(Kind::ConfigMap, &body), Facts::Reflected(empty_reflection()));
    assert_eq!(facts(Kind::Namespace, &body), Facts::Namespace(NamespaceFacts::default()));
    assert_eq!(facts(Kind::Node, &body), Facts::Node(NodeFacts::default()));
    let pod = PodFacts { content: empty_reflection().content, status: null(), ..PodFacts::default() };
    assert_eq!(facts(Kind::Pod, &body), Facts::Pod(pod));
    assert_eq!(facts(Kind::NamespaceOffloading, &body), Facts::Offloading(OffloadingFacts::default()));
    let halves = Replication { spec: empty(), status: empty(), ..Replication::default() };
    let map = NamespaceMapFacts { replication: halves, ..NamespaceMapFacts::default() };
    assert_eq!(facts(Kind::NamespaceMap, &body), Facts::NamespaceMap(map));
    let peer = ForeignClusterFacts {
        skip_tls_verify: true,
        discovery_type: "Manual".to_owned(),
        ..ForeignClusterFacts::default()
    };
    assert_eq!(facts(Kind::ForeignCluster, &body), Facts::ForeignCluster(peer));
}

#[test]
fn the_identity_is_known_by_its_label() {
    let body = json!({
        "metadata": {"labels": {"app.kubernetes.io/name": "clusterid-configmap"}},
        "data": {"CLUSTER_ID": "id-1", "CLUSTER_NAME": "rome"},
    });
    let expected = ClusterIdentityFacts { id: "id-1".into(), name: "rome".into() };
    assert_eq!(facts(Kind::ConfigMap, &body), Facts::ClusterIdentity(expected));
    let another = facts(Kind::ConfigMap, &json!({"data": {"CLUSTER_ID": "id-1"}}));
    assert!(matches!(another, Facts::Reflected(_)), "{another:?}");
}

#[test]
fn a_namespace_is_a_tenants_with_both_labels() {
    let labels = |labels: Value| facts(Kind::Namespace, &json!({"metadata": {"labels": labels}}));
    let both = json!({"discovery.liqo.io/cluster-id": "id-2", "discovery.liqo.io/tenant-namespace": "true"});
    let tenant = NamespaceFacts { tenant_of: "id-2".into(), ..NamespaceFacts::default() };
    assert_eq!(labels(both), Facts::Namespace(tenant));
    let one = json!({"discovery.liqo.io/cluster-id": "id-2", "liqo.io/scheduling-enabled": "true"});
    let scheduled = NamespaceFacts { scheduling_enabled: true, ..NamespaceFacts::default() };
    assert_eq!(labels(one), Facts::Namespace(scheduled));
}

#[test]
fn a_virtual_node_names_its_peer() {
    let labels = json!({"liqo.io/type": "virtual-node", "liqo.io/remote-cluster-id": "id-2", "zone": "a"});
    let expected = NodeFacts {
        is_virtual: true,
        remote_cluster: "id-2".into(),
        labels: serde_json::from_value(labels.clone()).unwrap(),
        ..NodeFacts::default()
    };
    assert_eq!(facts(Kind::Node, &json!({"metadata": {"labels": labels}})), Facts::Node(expected));
}

#[test]
fn a_foreign_cluster_is_read_whole() {
    let body = json!({
        "metadata": {
            "labels": {"discovery.liqo.io/cluster-id": "id-2", "discovery.liqo.io/discovery-type": "LAN"},
            "finalizers": ["foregroundDeletion", "crdReplicator.liqo.io", "APIServerChecker.liqo.io"],
        },
        "spec": {
            "clusterIdentity": {"clusterID": "id-2", "clusterName": "milan"},
            "foreignAuthUrl": "https://milan.example.com",
            "foreignProxyUrl": "http://10.0.0.1:8118",
            "peeringType": "InBand",
            "outgoingPeeringEnabled": "Yes",
            "incomingPeeringEnabled": "No",
            "insecureSkipTLSVerify": false,
            "ttl": 90,
            "fromTheFuture": [1],
        },
        "status": {
            "tenantNamespace": {"local": "l", "remote": "r"},
            "peeringConditions": [{
                "type": "NetworkStatus",
                "status": "Established",
                "reason": "TunnelEndpointAvailable",
                "message": "it is up",
                "lastTransitionTime": "1970-01-01T00:00:05Z",
            }],
        },
    });
    let expected = ForeignClusterFacts {
        cluster_id: "id-2".into(),
        cluster_name: "milan".into(),
        auth_url: "https://milan.example.com".to_owned(),
        proxy_url: "http://10.0.0.1:8118".to_owned(),
        peering_type: PeeringType::InBand,
        outgoing: Switch::Yes,
        incoming: Switch::No,
        skip_tls_verify: false,
        labelled_id: "id-2".into(),
        discovery_type: "LAN".to_owned(),
        finalizers: vec!["APIServerChecker.liqo.io".to_owned(), "crdReplicator.liqo.io".to_owned()],
        tenant_local: "l".into(),
        tenant_remote: "r".into(),
        conditions: vec![Condition {
            kind: "NetworkStatus".to_owned(),
            status: "Established".to_owned(),
            reason: "TunnelEndpointAvailable".to_owned(),
            message: "it is up".to_owned(),
            since: UnixMillis(5000),
        }],
    };
    assert_eq!(facts(Kind::ForeignCluster, &body), Facts::ForeignCluster(expected));
}

#[test]
fn what_cannot_be_understood_is_named() {
    let body = json!({"spec": {"peeringType": "Sideways"}});
    let expected = "ForeignCluster/x: spec.peeringType is \"Sideways\"; use one of OutOfBand, InBand";
    assert_eq!(malformed(Kind::ForeignCluster, &body), expected);
    let body = json!({"spec": {"outgoingPeeringEnabled": true}});
    let expected = "ForeignCluster/x: spec.outgoingPeeringEnabled is no text";
    assert_eq!(malformed(Kind::ForeignCluster, &body), expected);
    let body = json!({"status": {"peeringConditions": [{}, {"status": 1}]}});
    let expected = "ForeignCluster/x: status.peeringConditions[1].status is no text";
    assert_eq!(malformed(Kind::ForeignCluster, &body), expected);
    let body = json!({"spec": {"desiredMapping": {"shop": 3}}});
    assert_eq!(malformed(Kind::NamespaceMap, &body), "NamespaceMap/x: spec.desiredMapping.shop is no text");
    let body = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "many"}}}]}});
    let expected = "Pod/x: spec.containers[0].resources.requests.cpu is no quantity";
    assert_eq!(malformed(Kind::Pod, &body), expected);
}

#[test]
fn an_offloading_is_read_whole() {
    let body = json!({
        "metadata": {"finalizers": ["namespaceoffloading-controller.liqo.io/finalizer"]},
        "spec": {
            "namespaceMappingStrategy": "EnforceSameName",
            "podOffloadingStrategy": "Remote",
            "clusterSelector": {"nodeSelectorTerms": [{
                "matchExpressions": [{"key": "zone", "operator": "In", "values": ["b", "a"]}],
                "matchFields": [{"key": "metadata.name", "operator": "Exists"}],
            }]},
        },
        "status": {
            "remoteNamespaceName": "shop",
            "offloadingPhase": "Ready",
            "observedGeneration": 4,
            "remoteNamespacesConditions": {"milan": [{"type": "Ready", "status": "True"}], "paris": null},
        },
    });
    let requirement = |key: &str, operator: &str, values: &[&str]| Requirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let ready = Condition { kind: "Ready".to_owned(), status: "True".to_owned(), ..Condition::default() };
    let expected = OffloadingFacts {
        mapping: MappingStrategy::EnforceSameName,
        pods: PodStrategy::Remote,
        selector: vec![SelectorTerm {
            expressions: vec![requirement("zone", "In", &["b", "a"])],
            fields: vec![requirement("metadata.name", "Exists", &[])],
        }],
        finalizer: true,
        remote_name: "shop".into(),
        phase: "Ready".to_owned(),
        observed_generation: 4,
        conditions: BTreeMap::from([("milan".to_owned(), vec![ready]), ("paris".to_owned(), Vec::new())]),
    };
    assert_eq!(facts(Kind::NamespaceOffloading, &body), Facts::Offloading(expected));
}

#[test]
fn a_namespace_map_is_read_whole() {
    let body = json!({
        "metadata": {"labels": {"liqo.io/remote-cluster-id": "id-2", "liqo.io/replication": "true"}},
        "spec": {"desiredMapping": {"shop": "shop-rome"}},
        "status": {"currentMapping": {"shop": {"remoteNamespace": "shop-rome", "phase": "Accepted"}}},
    });
    let now = MappingFacts { remote: "shop-rome".into(), phase: "Accepted".to_owned() };
    let expected = NamespaceMapFacts {
        remote_cluster: "id-2".into(),
        origin: true,
        replication: Replication {
            origin: true,
            spec: key().part(&body["spec"]),
            status: key().part(&body["status"]),
            ..Replication::default()
        },
        finalizer: false,
        desired: BTreeMap::from([("shop".into(), "shop-rome".into())]),
        current: BTreeMap::from([("shop".to_owned(), now)]),
    };
    assert_eq!(facts(Kind::NamespaceMap, &body), Facts::NamespaceMap(expected));
}

#[test]
fn a_pod_is_read_whole() {
    let container = |name: &str, cpu: Value, memory: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu, "memory": memory}}});
    let body = json!({
        "metadata": {
            "labels": {"app": "web"},
            "ownerReferences": [
                {"kind": "Other", "name": "o", "uid": "1"},
                {"kind": "ReplicaSet", "name": "web", "uid": "2", "controller": true},
            ],
        },
        "spec": {
            "nodeName": "n",
            "containers": [
                container("a", json!("100m"), "1Ki"),
                container("b", json!(1), "1"),
                {"name": "c", "resources": {"requests": {"nvidia.com/gpu": 2, "ephemeral-storage": "0"}}},
                {"name": "d"},
            ],
        },
        "status": {
            "phase": "Running",
            "reason": "Evicted",
            "hostIP": "10.0.0.1",
            "podIPs": [{"ip": "10.1.0.1"}, {"ip": "fd00::1"}],
            "containerStatuses": [
                {"name": "b", "ready": false, "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
                {"name": "a", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "x"}}},
                {"name": "c", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
                {"name": "ghost", "ready": true},
            ],
        },
    });
    let state = |name: &str, ready, restarts, phase, reason: &str| ContainerFacts {
        name: name.to_owned(),
        ready,
        restarts,
        phase,
        reason: reason.to_owned(),
    };
    let expected = PodFacts {
        node: "n".to_owned(),
        phase: "Running".to_owned(),
        reason: "Evicted".to_owned(),
        containers: vec![
            state("a", true, 0, ContainerPhase::Running, ""),
            state("b", false, 2, ContainerPhase::Waiting, "CrashLoopBackOff"),
            state("c", false, 0, ContainerPhase::Terminated(137), "OOMKilled"),
            state("d", false, 0, ContainerPhase::Waiting, ""),
        ],
        pod_ips: vec!["10.1.0.1".to_owned(), "fd00::1".to_owned()],
        host_ip: "10.0.0.1".to_owned(),
        cpu_millis: 1100,
        memory_bytes: 1025,
        owner: Some(Owner { kind: "ReplicaSet".to_owned(), name: "web".to_owned(), uid: "2".into() }),
        labels: [("app", "web")].into(),
        ready: false,
        content: key().content(&body),
        status: key().part(&body["status"]),
        reflection: None,
        requests: [("nvidia.com/gpu".to_owned(), 2_000)].into(),
    };
    assert_eq!(facts(Kind::Pod, &body), Facts::Pod(expected));
}

#[test]
fn kinds_without_a_projection_are_only_present() {
    for kind in [Kind::Lease, Kind::ServiceAccount, Kind::RoleBinding, Kind::NatMapping, Kind::Ingress] {
        assert_eq!(facts(kind, &json!({"data": {"token": "CANARY"}})), Facts::Presence);
    }
}

#[test]
fn an_annotation_says_that_a_peer_is_given_up() {
    for (mark, expected) in [("true", Switch::GivenUp), ("false", Switch::Yes)] {
        let body = json!({
            "metadata": {"annotations": {"liqo.io/given-up": mark}},
            "spec": {"outgoingPeeringEnabled": "Yes"},
        });
        let Facts::ForeignCluster(read) = facts(Kind::ForeignCluster, &body) else { panic!("{body}") };
        assert_eq!(read.outgoing, expected, "{mark}");
    }
}
