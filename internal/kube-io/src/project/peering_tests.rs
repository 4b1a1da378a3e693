//! Projections of the objects that a peering is made of, with the fields that a pair of clusters was seen to write.

use std::collections::BTreeMap;

use liqo_events::{
    ClusterSubnets, Facts, IdentityFacts, IssuedFacts, NetworkConfigFacts, PeerTokenFacts, Reflection,
    Replication, ResourceOfferFacts, ResourceRequestFacts, ServicePort, SigningRequestFacts,
    TunnelEndpointFacts, TunnelSpec, UnixMillis,
};
use liqo_model::{Kind, ObjectKey};
use serde_json::{Value, json};

use super::project;
use super::tests::{empty, key, null};

fn facts(kind: Kind, body: &Value) -> Facts {
    project(&ObjectKey::local(kind, "t", "x"), body, &key())
}

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, text)| (key.to_owned(), text.to_owned())).into()
}

/// Metadata of an origin.
fn origin() -> Value {
    json!({
        "labels": {"liqo.io/replication": "true", "liqo.io/remoteID": "milan-id"},
        "finalizers": ["crdReplicator.liqo.io"],
        "ownerReferences": [
            {"kind": "ForeignCluster", "name": "milan", "uid": "f"},
            {"kind": "NetworkConfig", "name": "other", "uid": "n"},
        ],
    })
}

/// Metadata of a copy.
fn copy() -> Value {
    json!({"labels": {
        "liqo.io/replication": "false", "liqo.io/replicated": "true",
        "liqo.io/remoteID": "rome-id", "liqo.io/originID": "milan-id",
    }})
}

fn part_of_origin(body: &Value) -> Replication {
    Replication {
        origin: true,
        remote_id: "milan-id".into(),
        finalizer: true,
        spec: key().part(&body["spec"]),
        status: key().part(&body["status"]),
        owners: vec!["milan".to_owned()],
        ..Replication::default()
    }
}

fn part_of_copy() -> Replication {
    let (remote_id, origin_id) = ("rome-id".into(), "milan-id".into());
    Replication { remote_id, origin_id, replicated: true, ..Replication::default() }
}

#[test]
fn a_resource_request_is_read_whole() {
    let body = json!({
        "metadata": origin(),
        "spec": {
            "clusterIdentity": {"clusterID": "rome-id", "clusterName": "rome"},
            "authUrl": "https://172.18.1.1:31770",
            "withdrawalTimestamp": "2026-11-22T14:00:00Z",
        },
        "status": {"offerState": "Created"},
    });
    let expected = ResourceRequestFacts {
        replication: part_of_origin(&body),
        cluster_id: "rome-id".into(),
        cluster_name: "rome".into(),
        auth_url: "https://172.18.1.1:31770".to_owned(),
        withdrawn: true,
        offer_withdrawn: false,
        offer_state: "Created".to_owned(),
    };
    assert_eq!(facts(Kind::ResourceRequest, &body), Facts::ResourceRequest(expected));
}

fn offer(memory: &str) -> Value {
    let mut metadata = copy();
    metadata["finalizers"] = json!(["liqo.io/virtualkubelet", "liqo.io/node"]);
    json!({
        "metadata": metadata,
        "spec": {
            "clusterId": "milan-id",
            "labels": {"region": "milan"},
            "resourceQuota": {"hard": {"cpu": "3600m", "memory": memory, "pods": "450"}},
            "storageClasses": [
                {"storageClassName": "slow"}, {"storageClassName": "liqo", "default": true},
            ],
        },
        "status": {"phase": "Accepted", "virtualKubeletStatus": "Created"},
    })
}

#[test]
fn a_resource_offer_is_read_whole_and_its_amounts_count_by_value() {
    let read = |memory| match facts(Kind::ResourceOffer, &offer(memory)) {
        Facts::ResourceOffer(facts) => facts,
        other => panic!("{other:?}"),
    };
    let found = read("45404000000");
    let amounts = [("cpu", 3600), ("memory", 45_404_000_000_000), ("pods", 450_000)];
    let expected = ResourceOfferFacts {
        replication: Replication {
            spec: found.replication.spec,
            status: key().part(&offer("0")["status"]),
            ..part_of_copy()
        },
        cluster_id: "milan-id".into(),
        hard: amounts.map(|(name, amount)| (name.to_owned(), amount)).into(),
        labels: texts([("region", "milan")]),
        storage_classes: vec!["liqo".to_owned(), "slow".to_owned()],
        withdrawn: false,
        phase: "Accepted".to_owned(),
        virtual_kubelet: "Created".to_owned(),
        node_finalizer: true,
        kubelet_finalizer: true,
    };
    assert_eq!(found, expected);
    assert_eq!(read("45404M"), expected);
    assert_ne!(read("45405M").replication.spec, expected.replication.spec);
}

#[test]
fn an_empty_half_and_none_are_the_same() {
    for status in [Value::Null, json!({})] {
        let body = json!({"metadata": {}, "spec": {}, "status": status});
        let Facts::ResourceRequest(read) = facts(Kind::ResourceRequest, &body) else { panic!("{body}") };
        assert_eq!(read.replication.status, empty());
    }
}

#[test]
fn a_network_config_is_read_whole() {
    let mut metadata = origin();
    metadata["finalizers"] = json!(["crdReplicator.liqo.io", "tunnelendpointcreator.net.liqo.io"]);
    let body = json!({
        "metadata": metadata,
        "spec": {
            "cluster": {"clusterID": "milan-id", "clusterName": "milan"},
            "podCIDR": "10.200.0.0/16", "externalCIDR": "10.81.0.0/16", "endpointIP": "172.18.1.2",
            "backendType": "wireguard", "backend_config": {"port": "32200", "publicKey": "key="},
        },
        "status": {"processed": true, "podCIDRNAT": "10.201.0.0/16", "externalCIDRNAT": "None"},
    });
    let expected = NetworkConfigFacts {
        replication: part_of_origin(&body),
        cluster_id: "milan-id".into(),
        pod_cidr: "10.200.0.0/16".to_owned(),
        external_cidr: "10.81.0.0/16".to_owned(),
        endpoint: "172.18.1.2".to_owned(),
        public_key: "key=".to_owned(),
        port: "32200".to_owned(),
        processed: true,
        pod_cidr_nat: "10.201.0.0/16".to_owned(),
        external_cidr_nat: "None".to_owned(),
        finalizer: true,
    };
    assert_eq!(facts(Kind::NetworkConfig, &body), Facts::NetworkConfig(expected));
}

#[test]
fn a_tunnel_endpoint_is_read_whole() {
    let body = json!({
        "spec": {
            "clusterIdentity": {"clusterID": "milan-id", "clusterName": "milan"},
            "localPodCIDR": "a", "localExternalCIDR": "b", "localNATPodCIDR": "c", "localNATExternalCIDR": "d",
            "remotePodCIDR": "e", "remoteExternalCIDR": "f", "remoteNATPodCIDR": "g",
            "remoteNATExternalCIDR": "h", "endpointIP": "172.18.2.1",
            "backend_config": {"port": "30426", "publicKey": "key="},
        },
        "status": {
            "gatewayIP": "172.18.1.2",
            "connection": {"status": "Connected", "latency": {"value": "1ms"}},
        },
    });
    let spec = TunnelSpec {
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        local_pod_cidr: "a".to_owned(),
        local_external_cidr: "b".to_owned(),
        local_nat_pod_cidr: "c".to_owned(),
        local_nat_external_cidr: "d".to_owned(),
        remote_pod_cidr: "e".to_owned(),
        remote_external_cidr: "f".to_owned(),
        remote_nat_pod_cidr: "g".to_owned(),
        remote_nat_external_cidr: "h".to_owned(),
        endpoint: "172.18.2.1".to_owned(),
        public_key: "key=".to_owned(),
        port: "30426".to_owned(),
    };
    let (connection, latency) = ("Connected".to_owned(), "1ms".to_owned());
    let expected = TunnelEndpointFacts { spec, connection, latency, gateway: "172.18.1.2".to_owned() };
    assert_eq!(facts(Kind::TunnelEndpoint, &body), Facts::TunnelEndpoint(expected));
}

#[test]
fn an_ipam_storage_says_which_networks_each_peer_has() {
    let body = json!({"spec": {
        "podCIDR": "p", "serviceCIDR": "s", "externalCIDR": "e", "reservedSubnets": ["r"], "pools": ["10.0.0.0/8"],
        "clusterSubnets": {"milan-id": {
            "localNATPodCIDR": "a", "localNATExternalCIDR": "b", "remotePodCIDR": "c", "remoteExternalCIDR": "d",
        }},
        "prefixes": {"10.0.0.0/8": "DX8EAQL/"},
    }});
    let Facts::IpamStorage(read) = facts(Kind::IpamStorage, &body) else { panic!("{body}") };
    let text = str::to_owned;
    let subnets = ClusterSubnets {
        local_nat_pod_cidr: text("a"),
        local_nat_external_cidr: text("b"),
        remote_pod_cidr: text("c"),
        remote_external_cidr: text("d"),
    };
    assert_eq!(read.clusters, [("milan-id".into(), subnets)].into());
    assert_eq!((read.reserved, read.pools), (vec![text("r")], vec![text("10.0.0.0/8")]));
    assert_eq!((read.pod_cidr, read.service_cidr, read.external_cidr), (text("p"), text("s"), text("e")));
}

#[test]
fn an_identity_is_read_without_its_secrets() {
    let body = json!({
        "metadata": {
            "labels": {
                "discovery.liqo.io/local-identity": "true", "discovery.liqo.io/cluster-id": "milan-id",
                "discovery.liqo.io/certificate-available": "true",
            },
            "annotations": {"discovery.liqo.io/certificate-expire-time": "1826891501"},
        },
        "data": {
            "namespace": "bGlxby10ZW5hbnQtcm9tZQ==", "apiServerUrl": "aHR0cHM6Ly8xMC4wLjAuMTo2NDQz",
            "private-key": "CANARY", "certificate": "CANARY",
        },
    });
    let expected = IdentityFacts {
        peer: "milan-id".into(),
        remote_namespace: "liqo-tenant-rome".into(),
        api_server: "https://10.0.0.1:6443".to_owned(),
        expires_at: UnixMillis(1_826_891_501_000),
    };
    assert_eq!(facts(Kind::Secret, &body), Facts::Identity(expected));
    let mut wrong = body;
    wrong["data"]["namespace"] = json!("CANARY secret");
    let said = facts(Kind::Secret, &wrong);
    let expected = "Secret/t/x: data.namespace is no text in base64";
    assert_eq!(said, Facts::Malformed(expected.to_owned()));
}

#[test]
fn other_secrets_are_told_apart() {
    let labelled = |labels: Value, data: &str| {
        facts(Kind::Secret, &json!({"metadata": {"labels": labels}, "data": {"token": data}}))
    };
    let token = labelled(
        json!({"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": "milan-id"}),
        "CANARY",
    );
    assert_eq!(token, Facts::PeerToken(PeerTokenFacts { peer: "milan-id".into() }));
    let issued = labelled(json!({"discovery.liqo.io/cluster-id": "milan-id"}), "CANARY");
    assert_eq!(issued, Facts::Issued(IssuedFacts { peer: "milan-id".into(), enrolled: false }));
    // The digest tells that it changed, and nothing else.
    let (one, other) = (labelled(json!({"app": "a"}), "CANARY"), labelled(json!({"app": "a"}), "OTHER"));
    assert_ne!(one, other);
    assert!(!format!("{one:?}").contains("CANARY"), "{one:?}");
}

#[test]
fn a_copy_says_what_it_is_a_copy_of() {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "a-token", "uid": "1", "resourceVersion": "2",
            "labels": {
                "virtualkubelet.liqo.io/origin": "rome-id", "virtualkubelet.liqo.io/destination": "milan-id",
                "virtualkubelet.liqo.io/service-account-name": "app-sa", "liqo.io/managed-by": "someone",
            },
            "annotations": {"liqo.io/home-uid": "u-1", "liqo.io/skip-reflection": ""},
        },
        "data": {"token": "CANARY"},
    });
    let expected = Reflection {
        content: key().content(&body),
        status: null(),
        home_uid: "u-1".into(),
        origin: "rome-id".into(),
        destination: "milan-id".into(),
        managed_by: "someone".to_owned(),
        skipped: true,
        belongs_to: "app-sa".to_owned(),
    };
    assert_eq!(facts(Kind::Secret, &body), Facts::Reflected(expected));
    let slice = json!({"metadata": {"labels": {"kubernetes.io/service-name": "web"}}});
    let Facts::Reflected(read) = facts(Kind::EndpointSlice, &slice) else { panic!("{slice}") };
    assert_eq!(read.belongs_to, "web");
}

#[test]
fn a_pod_on_a_virtual_node_takes_part_in_reflection() {
    for labels in [
        json!({"liqo.io/shadowPod": "true"}),
        json!({"virtualkubelet.liqo.io/origin": "rome-id"}),
        json!({"liqo.io/managed-by": "shadowpod"}),
    ] {
        let body = json!({
            "metadata": {"labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        let Facts::Pod(pod) = facts(Kind::Pod, &body) else { panic!("{body}") };
        assert!(pod.reflection.is_some() && pod.ready, "{labels}");
    }
}

#[test]
fn a_service_says_how_it_is_reached() {
    let body = json!({
        "metadata": {"annotations": {
            "liqo.io/override-port": "443", "net.liqo.io/gatewayNodeIP": "172.18.1.2", "other": "x",
        }},
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.80.0.5",
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "nodePort": 31770, "targetPort": 8443}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "a.example", "ip": "5.6.7.8"}]}},
    });
    let Facts::Service(read) = facts(Kind::Service, &body) else { panic!("{body}") };
    assert_eq!((read.kind.as_str(), read.cluster_ip.as_str()), ("LoadBalancer", "10.80.0.5"));
    let port =
        ServicePort { name: "https".to_owned(), protocol: "TCP".to_owned(), port: 443, node_port: 31770 };
    assert_eq!(read.ports, [port]);
    assert_eq!(read.ingress, ["1.2.3.4", "a.example"]);
    let annotations = [("liqo.io/override-port", "443"), ("net.liqo.io/gatewayNodeIP", "172.18.1.2")];
    assert_eq!(read.annotations, texts(annotations));
}

#[test]
fn a_physical_node_says_what_it_has() {
    let body = json!({
        "metadata": {"finalizers": ["virtualnode-controller.liqo.io/finalizer"]},
        "spec": {"podCIDRs": ["10.200.1.0/24"], "unschedulable": true},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "172.18.1.1"}, {"type": "Hostname", "address": "n"}],
            "allocatable": {"cpu": "2", "memory": "1Ki"},
            "conditions": [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": "True"}],
        },
    });
    let Facts::Node(read) = facts(Kind::Node, &body) else { panic!("{body}") };
    assert!(read.ready && read.unschedulable && read.finalizer && !read.is_virtual);
    assert_eq!(read.pod_cidrs, ["10.200.1.0/24"]);
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(read.addresses, [pair("InternalIP", "172.18.1.1"), pair("Hostname", "n")]);
    assert_eq!(read.allocatable, [("cpu".to_owned(), 2000), ("memory".to_owned(), 1_024_000)].into());
}

#[test]
fn a_remote_namespace_says_whose_it_is() {
    let body = json!({"metadata": {
        "labels": {"liqo.io/remote-cluster-id": "rome-id"},
        "annotations": {"liqo.io/managed-by-namespace-map": "liqo-tenant-rome/milan", "liqo.io/original-name": "demo"},
    }});
    let Facts::Namespace(read) = facts(Kind::Namespace, &body) else { panic!("{body}") };
    assert_eq!((read.remote_cluster, read.managed_by.as_str()), ("rome-id".into(), "liqo-tenant-rome/milan"));
}

#[test]
fn a_shadow_pod_says_how_far_its_pod_is() {
    let body = json!({"spec": {"pod": {"restartPolicy": "Never"}}, "status": {"phase": "Running"}});
    let Facts::ShadowPod(read) = facts(Kind::ShadowPod, &body) else { panic!("{body}") };
    assert_eq!((read.phase.as_str(), read.restart_policy.as_str()), ("Running", "Never"));
    let mut later = body.clone();
    later["status"]["phase"] = json!("Succeeded");
    let Facts::ShadowPod(ended) = facts(Kind::ShadowPod, &later) else { panic!("{later}") };
    assert_eq!(ended.reflection.content, read.reflection.content);
    assert_ne!(ended.reflection.status, read.reflection.status);
}

#[test]
fn a_request_for_a_certificate_says_who_asks() {
    let body = json!({
        "spec": {
            "username": "system:serviceaccount:liqo-tenant-milan:virtual-kubelet",
            "signerName": "kubernetes.io/kubelet-serving", "request": "bm8gcmVxdWVzdA==",
        },
        "status": {"conditions": [{"type": "Approved"}]},
    });
    let expected = SigningRequestFacts {
        requester: "system:serviceaccount:liqo-tenant-milan:virtual-kubelet".to_owned(),
        signer: "kubernetes.io/kubelet-serving".to_owned(),
        decided: true,
        node: String::new(),
    };
    assert_eq!(facts(Kind::CertificateSigningRequest, &body), Facts::SigningRequest(expected));
}

#[test]
fn content_is_what_is_copied() {
    let body = json!({
        "metadata": {"name": "a", "labels": {"a": "b"}, "annotations": {"c": "d"}},
        "data": {"k": "v"},
        "status": {"x": 1},
    });
    let content = key().content(&body);
    for (pointer, value, same) in [
        ("/metadata/name", json!("b"), true),
        ("/status/x", json!(2), true),
        ("/metadata/labels/a", json!("x"), false),
        ("/metadata/annotations/c", json!("x"), false),
        ("/data/k", json!("x"), false),
    ] {
        let mut later = body.clone();
        *later.pointer_mut(pointer).unwrap() = value;
        assert_eq!(key().content(&later) == content, same, "{pointer}");
    }
    // Lists leave out the kind, and endpoints change a time with everything.
    let mut later = body.clone();
    later["kind"] = json!("ConfigMap");
    later["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"] = json!("now");
    assert_eq!(key().content(&later), content);
}

#[test]
fn what_was_issued_to_a_peer_tells_whether_it_is_in_use() {
    let issued = |annotations: Value| {
        let metadata = json!({
            "name": "liqo-remote-certificate", "labels": {"discovery.liqo.io/cluster-id": "milan-id"},
            "annotations": annotations,
        });
        facts(Kind::Secret, &json!({"metadata": metadata, "data": {"certificate": "CANARY"}}))
    };
    let expected = |enrolled| Facts::Issued(IssuedFacts { peer: "milan-id".into(), enrolled });
    assert_eq!(issued(json!({"liqo.io/enrolled": "true"})), expected(true));
    assert_eq!(issued(json!({"other": "true"})), expected(false));
}
