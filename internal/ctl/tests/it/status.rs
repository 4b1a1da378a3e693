//! `liqoctl status` and `liqoctl status peer`.

use serde_json::{Value, json};

use crate::fake_cluster::FakeCluster;
use crate::golden::golden;
use crate::objects::*;

fn deployment(namespace: &str, name: &str, ready: i32, args: &[&str]) -> (String, Value) {
    let component = name.trim_start_matches("liqo-");
    let labels = json!({"app.kubernetes.io/name": component});
    let object = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"spec": {"containers": [{"name": component, "image": format!("liqo/{component}:v1"), "args": args}]}},
        },
        "status": {"readyReplicas": ready, "availableReplicas": ready},
    });
    (format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"), object)
}

fn running() -> Vec<(String, Value)> {
    let labels = json!({"app.kubernetes.io/name": "route"});
    let route = json!({
        "metadata": {"name": "liqo-route", "namespace": "liqo"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"spec": {"containers": [{"name": "route", "image": "liqo/fabric:v1"}]}}},
        "status": {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 2, "numberAvailable": 2},
    });
    let gateway = json!({
        "metadata": {
            "name": "liqo-gateway", "namespace": "liqo", "labels": {"net.liqo.io/gateway": "true"},
            "annotations": {"net.liqo.io/gatewayNodeIP": "172.18.1.2"},
        },
        "spec": {"type": "NodePort", "ports": [{"name": "wireguard", "port": 5871, "nodePort": 32200}]},
    });
    let storage = json!({
        "metadata": {"name": "ipamstorage-4bpkd", "labels": {"net.liqo.io/ipamstorage": "true"}},
        "spec": {
            "podCIDR": "10.200.0.0/16", "serviceCIDR": "10.80.0.0/16", "externalCIDR": "10.81.0.0/16",
            "reservedSubnets": ["172.18.0.0/16"],
        },
    });
    let mut objects = peered();
    objects.extend([
        deployment("liqo", "liqo-controller-manager", 1, &["--cluster-labels=region=rome"]),
        deployment("liqo", "liqo-gateway", 1, &[]),
        deployment(TENANT, "virtual-kubelet", 1, &[]),
        ("/apis/apps/v1/namespaces/liqo/daemonsets/liqo-route".to_owned(), route),
        ("/api/v1/namespaces/liqo/services/liqo-gateway".to_owned(), gateway),
        ("/apis/net.liqo.io/v1alpha1/ipamstorages/ipamstorage-4bpkd".to_owned(), storage),
        tunnel(),
    ]);
    objects.push(offer(
        "milan",
        json!({"liqo.io/replicated": "true", "liqo.io/replication": "false", "liqo.io/originID": MILAN}),
    ));
    objects
}

fn tunnel() -> (String, Value) {
    let object = json!({
        "metadata": {"name": "milan-efa86c", "namespace": TENANT, "labels": {"clusterID": MILAN}},
        "spec": {
            "backendType": "wireguard", "backend_config": {"port": "30426"},
            "clusterIdentity": {"clusterID": MILAN, "clusterName": "milan"}, "endpointIP": "172.18.2.1",
            "localExternalCIDR": "10.81.0.0/16", "localNATExternalCIDR": "10.82.0.0/16",
            "localNATPodCIDR": "10.201.0.0/16", "localPodCIDR": "10.200.0.0/16",
            "remoteExternalCIDR": "10.81.0.0/16", "remoteNATExternalCIDR": "10.82.0.0/16",
            "remoteNATPodCIDR": "None", "remotePodCIDR": "10.210.0.0/16",
        },
        "status": {
            "gatewayIP": "172.18.1.2",
            "connection": {
                "status": "Connected", "statusMessage": "it works", "latency": {"value": "1ms"},
                "peerConfiguration": {"endpointIP": "172.18.2.1", "port": "30426"},
            },
        },
    });
    (format!("/apis/net.liqo.io/v1alpha1/namespaces/{TENANT}/tunnelendpoints/milan-efa86c"), object)
}

fn offer(name: &str, labels: Value) -> (String, Value) {
    let hard = json!({"cpu": "3600m", "memory": "45404M", "pods": "450", "hugepages-2Mi": "0"});
    let object = json!({
        "metadata": {"name": name, "namespace": TENANT, "labels": labels},
        "spec": {"clusterId": MILAN, "resourceQuota": {"hard": hard}},
    });
    (format!("/apis/sharing.liqo.io/v1alpha1/namespaces/{TENANT}/resourceoffers/{name}"), object)
}

#[tokio::test]
async fn a_healthy_cluster_is_shown() {
    let cluster = FakeCluster::start(running()).await;
    let ran = cluster.run("status").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    golden("status.txt", &ran.output);
    golden("status-verbose.txt", &cluster.run("status --verbose").await.output);
    golden("status.yaml", &cluster.run("status -o yaml").await.output);
    let report: Value = serde_json::from_str(&cluster.run("status -o json").await.output).unwrap();
    assert_eq!((&report["apiVersion"], &report["kind"]), (&json!("liqoctl.liqo.io/v1"), &json!("Status")));
    assert_eq!(report["localCluster"]["clusterID"], ROME);
    assert_eq!(report["localCluster"]["network"]["reservedSubnets"], json!(["172.18.0.0/16"]));
    assert_eq!(report["controlPlane"].as_array().map(Vec::len), Some(4));
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_shown_and_told_by_the_exit_code() {
    let waiting = json!({"name": "controller-manager", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff"}}});
    let conditions =
        json!([{"type": "PodScheduled", "status": "True"}, {"type": "Initialized", "status": "True"}]);
    let pod = json!({
        "metadata": {"name": "liqo-controller-manager-x", "labels": {"app.kubernetes.io/name": "controller-manager"}},
        "status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [waiting]},
    });
    let mut objects = installed();
    objects.push(deployment("liqo", "liqo-controller-manager", 0, &[]));
    objects.push(("/api/v1/namespaces/liqo/pods/liqo-controller-manager-x".to_owned(), pod));
    let ran = FakeCluster::start(objects).await.run("status").await;
    golden("status-faults.txt", &ran.output);
    assert_eq!(ran.error.unwrap(), "5 things are not as they should be, see above");
    let ran = FakeCluster::start(Vec::new()).await.run("status").await;
    golden("status-absent.txt", &ran.output);
    assert_eq!(ran.error.unwrap(), "one thing is not as it should be, see above");
}

#[tokio::test]
async fn a_network_that_others_take_care_of_needs_no_gateway() {
    let mut objects = installed();
    objects.push(deployment("liqo", "liqo-controller-manager", 1, &["--disable-internal-network"]));
    let ran = FakeCluster::start(objects).await.run("status").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(ran.output.contains("Status: External"), "{}", ran.output);
}

#[tokio::test]
async fn peerings_are_shown() {
    let cluster = FakeCluster::start(running()).await;
    let ran = cluster.run("status peer").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    golden("status-peer.txt", &ran.output);
    golden("status-peer-verbose.txt", &cluster.run("status peer milan --verbose").await.output);
    golden("status-peer.yaml", &cluster.run("status peer milan -o yaml").await.output);
    let ran = cluster.run("status peer naples milna").await;
    assert!(ran.output.contains("naples - peer not found: there are: milan"), "{}", ran.output);
    assert!(ran.output.contains("milna - peer not found: did you mean milan?"), "{}", ran.output);
    assert_eq!(ran.error.unwrap(), "2 things are not as they should be, see above");
    let ran = cluster.run("status peer naples").await;
    assert_eq!(ran.error.unwrap(), "one thing is not as it should be, see above");
}

#[tokio::test]
async fn a_part_that_fails_says_why() {
    let mut objects = running();
    let peer = objects.iter_mut().find(|(path, _)| path == FOREIGN_CLUSTER).unwrap();
    peer.1["status"] = status(&[("AuthenticationStatus", "Error"), ("OutgoingPeering", "Pending")]);
    let ran = FakeCluster::start(objects).await.run("status peer").await;
    assert!(ran.output.contains("AuthenticationStatusError: as the controller says"), "{}", ran.output);
    assert_eq!(ran.error, None);
}

#[tokio::test]
async fn a_cluster_without_peers_says_so() {
    let ran = FakeCluster::start(installed()).await.run("status peer").await;
    assert_eq!(ran.output, "This cluster has no peers: `liqoctl peer out-of-band` makes one\n");
    assert_eq!(ran.error, None);
}

#[tokio::test]
async fn a_peer_of_another_release_is_warned_of() {
    let mut objects = running();
    let version = |objects: &mut Vec<(String, Value)>, path: &str, kind: &str, key: &str, version: &str| {
        let object = objects.iter_mut().find(|(known, _)| known.ends_with(path)).unwrap();
        object.1["metadata"][kind][key] = json!(version);
    };
    version(&mut objects, "/resourceoffers/milan", "annotations", "liqo.io/version", "v9.9.0");
    version(&mut objects, "/liqo-controller-manager", "labels", "app.kubernetes.io/version", "v9.9.7");
    let ran = FakeCluster::start(objects.clone()).await.run("status peer").await;
    assert!(ran.output.contains("Version: v9.9.0") && !ran.output.contains("apart"), "{}", ran.output);
    version(&mut objects, "/liqo-controller-manager", "labels", "app.kubernetes.io/version", "v9.8.0");
    let cluster = FakeCluster::start(objects).await;
    let ran = cluster.run("status peer").await;
    assert!(ran.output.contains("! Liqo v9.9.0 there and v9.8.0 here are more than a"), "{}", ran.output);
    assert_eq!(ran.error, None);
    let report: Value = serde_json::from_str(&cluster.run("status peer -o json").await.output).unwrap();
    assert_eq!((&report["version"], &report["peers"][0]["version"]), (&json!("v9.8.0"), &json!("v9.9.0")));
    assert_eq!(report["peers"][0]["warnings"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_cluster_that_lacks_the_kinds_of_liqo_is_told_so_beside_the_rest() {
    let cluster = FakeCluster::start(installed()).await;
    cluster.change(|world| world.without_liqo = true);
    let ran = cluster.run("status").await;
    assert!(
        ran.output.contains("Liqo is not installed in this cluster, which has no kind"),
        "{}",
        ran.output
    );
    assert!(ran.error.is_some());
}
