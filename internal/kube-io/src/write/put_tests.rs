//! Objects of ours as they are made and changed, beside what a pair of clusters was seen to write.

use std::collections::BTreeMap;

use liqo_events::{
    ClusterSubnets, Content, CurrentMapping, OwnedBy, Status, TunnelSpec, UnixMillis, parse_rfc3339,
};
use liqo_model::{Kind, ObjectKey};
use serde_json::{Value, json};

use super::settings::VirtualKubeletSettings;
use super::step::Step;
use super::{put, put_status};

const TENANT: &str = "liqo-tenant-milan-efa86c";

fn settings() -> VirtualKubeletSettings {
    VirtualKubeletSettings {
        image: "registry.example/kubelet:1".to_owned(),
        extra_args: vec!["--log-json".to_owned()],
        env: vec![("LIQO_LOG".to_owned(), "debug".to_owned())],
    }
}

fn owner(name: &str) -> OwnedBy {
    OwnedBy { name: name.to_owned(), uid: "o".into() }
}

fn reference(api_version: &str, kind: &str, name: &str) -> Value {
    json!([{
        "apiVersion": api_version, "kind": kind, "name": name, "uid": "o",
        "controller": true, "blockOwnerDeletion": true,
    }])
}

fn key(kind: Kind, name: &str) -> ObjectKey {
    let namespace = if kind.is_cluster_scoped() { "" } else { TENANT };
    ObjectKey::local(kind, namespace, name)
}

fn made(kind: Kind, name: &str, content: &Content) -> Value {
    let key = key(kind, name);
    let Step::Create(object) = put::step(&key, content, &settings(), None) else { panic!("{key}: not made") };
    assert_eq!((&object["kind"], &object["metadata"]["name"]), (&json!(kind.as_str()), &json!(name)));
    // What was made needs no change.
    match put::step(&key, content, &settings(), Some(&object)) {
        Step::Patch(patch) => assert!(!super::merge::changes(&object, &patch), "{key}: {patch}"),
        Step::Nothing => {}
        other => panic!("{key}: {other:?}"),
    }
    object
}

fn changed(kind: Kind, content: &Content, object: &Value) -> Value {
    match put::step(&key(kind, "x"), content, &settings(), Some(object)) {
        Step::Patch(patch) => patch,
        other => panic!("{other:?}"),
    }
}

fn request(withdrawn_at: Option<UnixMillis>) -> Content {
    Content::ResourceRequest {
        remote: "milan-id".into(),
        id: "rome-id".into(),
        name: "rome".into(),
        auth_url: "https://172.18.1.1:31770".to_owned(),
        withdrawn_at,
        owner: owner("milan"),
    }
}

#[test]
fn a_resource_request_is_made() {
    let expected = json!({
        "apiVersion": "discovery.liqo.io/v1alpha1",
        "kind": "ResourceRequest",
        "metadata": {
            "name": "rome",
            "namespace": TENANT,
            "labels": {"liqo.io/remoteID": "milan-id", "liqo.io/replication": "true"},
            "ownerReferences": reference("discovery.liqo.io/v1alpha1", "ForeignCluster", "milan"),
        },
        "spec": {
            "authUrl": "https://172.18.1.1:31770",
            "clusterIdentity": {"clusterID": "rome-id", "clusterName": "rome"},
        },
    });
    assert_eq!(made(Kind::ResourceRequest, "rome", &request(None)), expected);
}

#[test]
fn a_withdrawal_has_the_moment_of_the_first_one() {
    let (first, later) = (UnixMillis(1_700_000_000_000), UnixMillis(1_800_000_000_000));
    let object = made(Kind::ResourceRequest, "rome", &request(Some(first)));
    assert_eq!(object["spec"]["withdrawalTimestamp"], "2023-11-14T22:13:20Z");
    let patch = changed(Kind::ResourceRequest, &request(Some(later)), &object);
    assert_eq!(patch["spec"], Value::Null);
    let patch = changed(Kind::ResourceRequest, &request(None), &object);
    assert_eq!(patch["spec"], json!({"withdrawalTimestamp": null}));
}

fn offer(cpu: u64) -> Content {
    Content::ResourceOffer {
        remote: "rome-id".into(),
        id: "milan-id".into(),
        hard: [("cpu", cpu), ("memory", 45_404_000_000_000)].map(|(name, of)| (name.to_owned(), of)).into(),
        labels: [("region".to_owned(), "milan".to_owned())].into(),
        withdrawn_at: None,
        owner: owner("rome"),
    }
}

#[test]
fn a_resource_offer_is_made_and_what_others_wrote_stays() {
    let object = made(Kind::ResourceOffer, "milan", &offer(3600));
    let labels = json!({
        "discovery.liqo.io/cluster-id": "rome-id", "liqo.io/remoteID": "rome-id", "liqo.io/replication": "true",
    });
    assert_eq!(object["metadata"]["labels"], labels);
    let owners = reference("discovery.liqo.io/v1alpha1", "ResourceRequest", "rome");
    assert_eq!(object["metadata"]["ownerReferences"], owners);
    let spec = json!({
        "clusterId": "milan-id", "labels": {"region": "milan"},
        "resourceQuota": {"hard": {"cpu": "3600m", "memory": "45404000000"}},
    });
    assert_eq!(object["spec"], spec);
    let mut known = object;
    known["spec"]["storageClasses"] = json!([{"storageClassName": "liqo"}]);
    known["spec"]["resourceQuota"]["hard"] = json!({"cpu": "3.6", "memory": "45404M", "pods": "450"});
    let patch = changed(Kind::ResourceOffer, &offer(4000), &known);
    assert_eq!(patch["spec"], json!({"resourceQuota": {"hard": {"cpu": "4", "pods": null}}}));
}

#[test]
fn a_network_config_is_made() {
    let content = Content::NetworkConfig {
        remote: "milan-id".into(),
        remote_name: "milan".into(),
        pod_cidr: "10.200.0.0/16".to_owned(),
        external_cidr: "10.81.0.0/16".to_owned(),
        endpoint: "172.18.1.2".to_owned(),
        public_key: "key=".to_owned(),
        port: 32200,
        owner: owner("milan"),
    };
    let object = made(Kind::NetworkConfig, "milan-efa86c", &content);
    let expected = json!({
        "backendType": "wireguard",
        "backend_config": {"port": "32200", "publicKey": "key="},
        "cluster": {"clusterID": "milan-id", "clusterName": "milan"},
        "endpointIP": "172.18.1.2",
        "externalCIDR": "10.81.0.0/16",
        "podCIDR": "10.200.0.0/16",
    });
    assert_eq!(object["spec"], expected);
    assert_eq!(object["metadata"]["labels"]["liqo.io/ownership"], "netcfgCreator");
}

#[test]
fn a_tunnel_endpoint_and_a_nat_mapping_are_made() {
    let spec = TunnelSpec {
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        remote_nat_pod_cidr: "None".to_owned(),
        port: "30426".to_owned(),
        ..TunnelSpec::default()
    };
    let tunnel = Content::TunnelEndpoint { spec, owner: owner("milan") };
    let object = made(Kind::TunnelEndpoint, "milan-efa86c", &tunnel);
    assert_eq!(object["metadata"]["labels"], json!({"clusterID": "milan-id"}));
    assert_eq!(object["spec"]["remoteNATPodCIDR"], "None");
    assert_eq!(object["spec"]["backend_config"]["port"], "30426");
    let mapping = Content::NatMapping {
        remote: "milan-id".into(),
        pod_cidr: "10.201.0.0/16".to_owned(),
        external_cidr: "10.82.0.0/16".to_owned(),
        mappings: [("10.80.0.1".to_owned(), "10.82.0.2".to_owned())].into(),
    };
    let object = made(Kind::NatMapping, "natmapping-milan", &mapping);
    let labels = json!({"clusterID": "milan-id", "net.liqo.io/natmapping": "true"});
    assert_eq!(object["metadata"]["labels"], labels);
    let spec = json!({
        "clusterID": "milan-id", "podCIDR": "10.201.0.0/16", "externalCIDR": "10.82.0.0/16",
        "clusterMappings": {"10.80.0.1": "10.82.0.2"},
    });
    assert_eq!(object["spec"], spec);
}

#[test]
fn an_ipam_storage_has_what_its_definition_requires_and_keeps_what_is_not_ours() {
    let content = |clusters: BTreeMap<_, _>| Content::IpamStorage {
        pod_cidr: "p".to_owned(),
        service_cidr: "s".to_owned(),
        external_cidr: "e".to_owned(),
        reserved: Vec::new(),
        pools: vec!["10.0.0.0/8".to_owned()],
        clusters,
    };
    let one = content([("milan-id".into(), ClusterSubnets::default())].into());
    let mut object = made(Kind::IpamStorage, "ipamstorage-liqo", &one);
    for required in ["prefixes", "endpointMappings", "natMappingsConfigured", "reservedSubnets", "pools"] {
        assert!(!object["spec"][required].is_null(), "{required}");
    }
    object["spec"]["prefixes"] = json!({"10.0.0.0/8": "DX8E"});
    let patch = changed(Kind::IpamStorage, &content(BTreeMap::new()), &object);
    assert_eq!(patch["spec"], json!({"clusterSubnets": {"milan-id": null}}));
}

#[test]
fn a_namespace_map_is_made_and_its_mappings_stay() {
    let content = Content::NamespaceMap { remote: "milan-id".into(), owner: owner("liqo-milan") };
    let mut object = made(Kind::NamespaceMap, "milan-efa86c", &content);
    let labels = json!({
        "liqo.io/remote-cluster-id": "milan-id", "liqo.io/remoteID": "milan-id", "liqo.io/replication": "true",
    });
    assert_eq!(object["metadata"]["labels"], labels);
    assert_eq!(object["metadata"]["ownerReferences"], reference("v1", "Node", "liqo-milan"));
    object["spec"]["desiredMapping"] = json!({"demo": "demo-rome"});
    assert_eq!(changed(Kind::NamespaceMap, &content, &object)["spec"], Value::Null);
}

#[test]
fn a_remote_namespace_is_never_taken_from_somebody_else() {
    let content = Content::RemoteNamespace {
        origin: "rome-id".into(),
        map: "liqo-tenant-rome/milan".to_owned(),
        original: "demo".into(),
    };
    let object = made(Kind::Namespace, "demo-rome", &content);
    let annotations = json!({
        "liqo.io/managed-by-namespace-map": "liqo-tenant-rome/milan", "liqo.io/original-name": "demo",
    });
    assert_eq!(object["metadata"]["annotations"], annotations);
    for foreign in [json!({}), json!({"labels": {"liqo.io/remote-cluster-id": "rome-id"}})] {
        let step =
            put::step(&key(Kind::Namespace, "x"), &content, &settings(), Some(&json!({"metadata": foreign})));
        assert!(matches!(step, Step::Park(_)), "{step:?}");
    }
}

#[test]
fn rights_are_made_and_made_anew_when_the_role_is_another() {
    let content = Content::PeerBinding {
        user: "milan-id".into(),
        role: "liqo-remote-peering-basic".to_owned(),
        managed_by: String::new(),
    };
    let object = made(Kind::RoleBinding, "liqo-binding-liqo-remote-peering-basic", &content);
    let group = "rbac.authorization.k8s.io";
    assert_eq!(
        object["roleRef"],
        json!({"apiGroup": group, "kind": "ClusterRole", "name": "liqo-remote-peering-basic"})
    );
    assert_eq!(object["subjects"], json!([{"apiGroup": group, "kind": "User", "name": "milan-id"}]));
    assert_eq!(object["metadata"]["labels"], json!({"liqo.io/managed-by": "liqo-controller-manager"}));
    let mut other = object;
    other["roleRef"]["name"] = json!("admin");
    let step = |object: &Value| put::step(&key(Kind::RoleBinding, "x"), &content, &settings(), Some(object));
    assert_eq!(step(&other), Step::Delete);
    other["metadata"]["labels"] = json!({});
    assert!(matches!(step(&other), Step::Park(_)));

    let content = Content::KubeletBinding { remote: "milan-id".into(), tenant: TENANT.into() };
    let object = made(Kind::ClusterRoleBinding, "liqo-virtual-kubelet-milan-efa86c", &content);
    assert_eq!(object["roleRef"]["name"], "liqo-virtual-kubelet-local");
    let subject = json!([{"kind": "ServiceAccount", "name": "virtual-kubelet", "namespace": TENANT}]);
    assert_eq!(object["subjects"], subject);
    assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "advertisementoperator");
    made(Kind::ServiceAccount, "virtual-kubelet", &Content::KubeletAccount { remote: "milan-id".into() });
}

fn virtual_kubelet() -> Content {
    Content::VirtualKubelet {
        remote: "milan-id".into(),
        remote_name: "milan".into(),
        home: "rome-id".into(),
        home_name: "rome".into(),
        offer: "milan".to_owned(),
        settings: "0123456789abcdef".to_owned(),
    }
}

#[test]
fn a_virtual_kubelet_is_deployed() {
    let object = made(Kind::Deployment, "virtual-kubelet", &virtual_kubelet());
    let marks =
        json!({"liqo.io/resourceoffer": "milan", "liqo.io/virtual-kubelet-settings": "0123456789abcdef"});
    assert_eq!(object["metadata"]["annotations"], marks);
    assert_eq!(object["metadata"]["labels"]["liqo.io/managed-by"], "liqo-controller-manager");
    let spec = &object["spec"];
    assert_eq!(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]);
    assert_eq!(spec["selector"]["matchLabels"]["discovery.liqo.io/cluster-id"], "milan-id");
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "virtual-kubelet");
    let expected = json!([
        "--foreign-cluster-id=milan-id",
        "--foreign-cluster-name=milan",
        "--nodename=liqo-milan",
        "--node-ip=$(POD_IP)",
        "--tenant-namespace=liqo-tenant-milan-efa86c",
        "--home-cluster-id=rome-id",
        "--home-cluster-name=rome",
        "--log-json",
    ]);
    assert_eq!(pod["containers"][0]["args"], expected);
    assert_eq!(pod["containers"][0]["env"][4], json!({"name": "LIQO_LOG", "value": "debug"}));
}

#[test]
fn another_image_is_rolled_out_and_nothing_else_is_touched() {
    let mut object = made(Kind::Deployment, "virtual-kubelet", &virtual_kubelet());
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    container["image"] = json!("old");
    container["terminationMessagePath"] = json!("/dev/termination-log");
    object["spec"]["replicas"] = json!(2);
    let patch = changed(Kind::Deployment, &virtual_kubelet(), &object);
    let containers = &patch["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], "registry.example/kubelet:1");
    assert_eq!(containers[0]["terminationMessagePath"], "/dev/termination-log");
    assert_eq!(patch["spec"]["replicas"], Value::Null);
    let none = VirtualKubeletSettings::default();
    let step = put::step(&key(Kind::Deployment, "x"), &virtual_kubelet(), &none, None);
    assert!(matches!(step, Step::Park(_)), "{step:?}");
}

#[test]
fn the_foreign_cluster_of_a_consumer_is_made_once() {
    let content = Content::ForeignCluster {
        id: "rome-id".into(),
        name: "rome".into(),
        auth_url: "https://172.18.1.1:31770".to_owned(),
    };
    let object = made(Kind::ForeignCluster, "rome", &content);
    let labels = json!({
        "discovery.liqo.io/cluster-id": "rome-id", "discovery.liqo.io/discovery-type": "IncomingPeering",
    });
    assert_eq!(object["metadata"]["labels"], labels);
    let mut other = object;
    other["spec"]["clusterIdentity"]["clusterID"] = json!("paris-id");
    let step = put::step(&key(Kind::ForeignCluster, "rome"), &content, &settings(), Some(&other));
    assert!(matches!(step, Step::Park(_)), "{step:?}");
}

#[test]
fn a_virtual_node_is_made_with_its_taint_and_gets_its_status() {
    let content = Content::VirtualNode {
        remote: "milan-id".into(),
        labels: [("region".to_owned(), "milan".to_owned())].into(),
        unschedulable: false,
        annotations: [("owner".to_owned(), "me".to_owned())].into(),
        settings: "0123456789abcdef".to_owned(),
    };
    let mut object = made(Kind::Node, "liqo-milan", &content);
    // What is ours of them is written down, so that it goes when it is not configured any more.
    let keys = r#"{"annotations":["liqo.io/virtual-kubelet-settings","owner"],"labels":["region"]}"#;
    let marks = json!({
        "owner": "me", "liqo.io/virtual-kubelet-settings": "0123456789abcdef", "liqo.io/reflected-keys": keys,
    });
    assert_eq!(object["metadata"]["annotations"], marks);
    assert_eq!(object["metadata"]["labels"]["liqo.io/type"], "virtual-node");
    assert_eq!(object["metadata"]["labels"]["region"], "milan");
    assert_eq!(object["spec"]["taints"][0]["key"], "virtual-node.liqo.io/not-allowed");
    let status = |ready| Status::VirtualNode {
        ready,
        network: Some(true),
        resources: [("cpu".to_owned(), 3600), ("memory".to_owned(), 1_000_000)].into(),
        version: "v1.34.4".to_owned(),
        address: "10.200.0.176".to_owned(),
        port: 10255,
    };
    let key = key(Kind::Node, "liqo-milan");
    let Step::PatchStatus(patch) = put_status::step(&key, &status(true), UnixMillis(0), &object) else {
        panic!("no status")
    };
    let told = &patch["status"];
    assert_eq!(told["allocatable"], json!({"cpu": "3600m", "memory": "1000"}));
    assert_eq!(told["addresses"], json!([{"type": "InternalIP", "address": "10.200.0.176"}]));
    assert_eq!(told["daemonEndpoints"], json!({"kubeletEndpoint": {"Port": 10255}}));
    assert_eq!(
        (&told["conditions"][0]["type"], &told["conditions"][0]["status"]),
        (&json!("Ready"), &json!("True"))
    );
    object["status"] = told.clone();
    assert_eq!(put_status::step(&key, &status(true), UnixMillis(60_000), &object), Step::Nothing);
    // The provider's API server is away.
    let Step::PatchStatus(patch) = put_status::step(&key, &status(false), UnixMillis(60_000), &object) else {
        panic!("no status")
    };
    assert_eq!(patch["status"]["conditions"][0]["status"], "False");
}

fn status(kind: Kind, status: &Status, object: &Value) -> Value {
    match put_status::step(&key(kind, "x"), status, UnixMillis(0), object) {
        Step::PatchStatus(patch) => patch["status"].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn statuses_are_written_as_they_were_recorded() {
    let withdrawn = parse_rfc3339("2026-11-22T14:00:00Z");
    let request = Status::ResourceRequest { offer_state: "None".to_owned(), offer_withdrawn_at: withdrawn };
    let known = json!({"status": {"offerWithdrawalTimestamp": "2026-11-22T13:00:00Z"}});
    let expected = |at: &str| json!({"offerState": "None", "offerWithdrawalTimestamp": at});
    assert_eq!(status(Kind::ResourceRequest, &request, &json!({})), expected("2026-11-22T14:00:00Z"));
    assert_eq!(status(Kind::ResourceRequest, &request, &known), expected("2026-11-22T13:00:00Z"));

    let offer = Status::ResourceOffer { phase: "Accepted".to_owned(), virtual_kubelet: "Created".to_owned() };
    let expected = json!({"phase": "Accepted", "virtualKubeletStatus": "Created"});
    assert_eq!(status(Kind::ResourceOffer, &offer, &json!({})), expected);

    let network = Status::NetworkConfig {
        pod_cidr_nat: "10.201.0.0/16".to_owned(),
        external_cidr_nat: "None".to_owned(),
    };
    let expected = json!({"processed": true, "podCIDRNAT": "10.201.0.0/16", "externalCIDRNAT": "None"});
    assert_eq!(status(Kind::NetworkConfig, &network, &json!({})), expected);
    let phase = Status::ShadowPod("Running".to_owned());
    assert_eq!(status(Kind::ShadowPod, &phase, &json!({})), json!({"phase": "Running"}));
    let running = json!({"status": {"phase": "Running", "hostIP": "10.200.0.7"}});
    let aborted = json!({"phase": "Failed", "reason": "OffloadingAborted"});
    assert_eq!(status(Kind::Pod, &Status::UnmappedPod, &running)["phase"], aborted["phase"]);
    assert_eq!(status(Kind::Pod, &Status::UnmappedPod, &running)["reason"], aborted["reason"]);
    let waiting = json!({"phase": "Pending", "reason": "OffloadingBackOff"});
    assert_eq!(
        status(Kind::Pod, &Status::UnmappedPod, &json!({"status": {"phase": "Pending"}}))["reason"],
        waiting["reason"]
    );
}

#[test]
fn maps_in_a_status_are_replaced_whole() {
    let now = CurrentMapping { remote: "demo-rome".into(), phase: "Accepted".to_owned() };
    let mappings = Status::NamespaceMap([("demo".into(), now)].into());
    let known = json!({"status": {"currentMapping": {"old": {"phase": "Accepted", "remoteNamespace": "o"}}}});
    let expected = json!({"currentMapping": {
        "old": null, "demo": {"phase": "Accepted", "remoteNamespace": "demo-rome"},
    }});
    assert_eq!(status(Kind::NamespaceMap, &mappings, &known), expected);

    let tunnel = Status::TunnelEndpoint {
        gateway: "172.18.1.2".to_owned(),
        connection: "Connected".to_owned(),
        message: "VPN connection established".to_owned(),
        latency: "1ms".to_owned(),
        measured_at: parse_rfc3339("2026-11-22T14:52:26Z"),
        peer: [("port".to_owned(), "30426".to_owned())].into(),
    };
    let known =
        json!({"status": {"connection": {"peerConfiguration": {"old": "x"}}, "vethIP": "169.254.100.1"}});
    let expected = json!({
        "gatewayIP": "172.18.1.2",
        "connection": {
            "status": "Connected",
            "statusMessage": "VPN connection established",
            "latency": {"value": "1ms", "timestamp": "2026-11-22T14:52:26Z"},
            "peerConfiguration": {"old": null, "port": "30426"},
        },
    });
    assert_eq!(status(Kind::TunnelEndpoint, &tunnel, &known), expected);
}
