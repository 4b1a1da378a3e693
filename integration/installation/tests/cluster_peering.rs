//! Pods of one cluster run in another whose pods have the same addresses, and reach each other both ways.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::collections::BTreeSet;

use liqo_installation::{Administrator, install, programs};
use liqo_testbed::{ClusterSpec, Testbed};
use serde_json::Value;

const NAMESPACE: &str = "demo";
/// What the quickstart runs: a Deployment and a Service that go to milan, and a client that stays.
const HELLO: &str = include_str!("../../quickstart/hello.yaml");
/// A web server on each node of rome, and a Service of theirs.
const STAYING: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: staying, namespace: demo}
spec:
  selector: {matchLabels: {app: staying}}
  template:
    metadata: {labels: {app: staying}}
    spec:
      terminationGracePeriodSeconds: 0
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: liqo.io/type, operator: NotIn, values: [virtual-node]}]}]
      containers:
      - name: staying
        image: testbed.local/toolbox:1
        imagePullPolicy: Never
        env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: staying, namespace: demo}
spec: {selector: {app: staying}, ports: [{port: 80, targetPort: 8080}]}
";

/// The clusters that all tests of the tier share, with Liqo in both; none when this process may not make nodes.
async fn pair() -> Option<(Administrator, Administrator)> {
    if let Err(error) = Testbed::privileges() {
        eprintln!("SKIPPED: cluster_peering: {}", error.line());
        return None;
    }
    let testbed = Testbed::open().unwrap();
    let mut rome = ClusterSpec::new("rome".parse().unwrap());
    rome.nodes = 2;
    let milan = ClusterSpec::new("milan".parse().unwrap());
    testbed.up(&[rome.clone(), milan.clone()]).await.unwrap();
    let programs = programs();
    let rome = install(&testbed, &rome.name, &programs).await.unwrap();
    let milan = install(&testbed, &milan.name, &programs).await.unwrap();
    Some((rome, milan))
}

#[tokio::test]
async fn cluster_pods_of_two_clusters_reach_each_other_and_nothing_is_left_when_they_part() {
    let Some((rome, milan)) = pair().await else { return };
    let command = milan.liqoctl(&["generate", "peer-command", "--only-command"]).unwrap();
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    rome.liqoctl(&words).unwrap();
    rome.kubectl(&["create", "namespace", NAMESPACE]).unwrap();
    rome.liqoctl(&["offload", "namespace", NAMESPACE]).unwrap();
    rome.apply(&format!("{HELLO}---{STAYING}")).unwrap();
    for workload in ["deployment/hello", "daemonset/staying"] {
        rome.kubectl(&["rollout", "status", workload, "--namespace", NAMESPACE, "--timeout=60s"]).unwrap();
    }

    let hello = pods(&rome, "hello").remove(0);
    let staying = pods(&rome, "staying");
    // One of them is on the node of the gateway, and one is not.
    assert_eq!(staying.iter().map(|pod| pod.node.as_str()).collect::<BTreeSet<_>>().len(), 2);
    for pod in &staying {
        assert_eq!(ask(&rome, pod, &format!("{}:8080", hello.address)), "milan-control-plane");
        assert_eq!(ask(&rome, pod, "hello"), "milan-control-plane");
    }
    assert!(ask(&rome, &hello, "staying").starts_with("rome-"));

    rome.liqoctl(&["unoffload", "namespace", NAMESPACE]).unwrap();
    rome.liqoctl(&["unpeer", "out-of-band", "milan"]).unwrap();
    rome.kubectl(&["delete", "namespace", NAMESPACE, "--timeout=60s"]).unwrap();
    for cluster in [&rome, &milan] {
        assert_eq!(left(cluster), "");
    }
}

struct Pod {
    name: String,
    node: String,
    address: String,
}

fn pods(cluster: &Administrator, app: &str) -> Vec<Pod> {
    let selector = format!("app={app}");
    let words = ["get", "pods", "--namespace", NAMESPACE, "--selector", &selector, "-o", "json"];
    let list: Value = serde_json::from_str(&cluster.kubectl(&words).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pod = |pod: &Value| Pod {
        name: text(&pod["metadata"]["name"]),
        node: text(&pod["spec"]["nodeName"]),
        address: text(&pod["status"]["podIP"]),
    };
    list["items"].as_array().unwrap().iter().map(pod).collect()
}

/// The node of the pod that answers to another one; rules of nodes follow the objects within a moment.
fn ask(cluster: &Administrator, from: &Pod, host: &str) -> String {
    let url = format!("http://{host}/");
    let curl = [
        "curl",
        "--silent",
        "--max-time",
        "3",
        "--retry",
        "10",
        "--retry-all-errors",
        "--retry-delay",
        "1",
        &url,
    ];
    let words = ["exec", "--namespace", NAMESPACE, &from.name, "--"];
    let answer = cluster.kubectl(&words.into_iter().chain(curl).collect::<Vec<_>>()).unwrap();
    let answer: Value =
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{} {url}: {answer}", from.name));
    answer["node"].as_str().unwrap().to_owned()
}

/// Everything that a peering makes, but for what outlives it.
fn left(cluster: &Administrator) -> String {
    let kinds = "foreignclusters,resourcerequests,resourceoffers,networkconfigs,tunnelendpoints,namespacemaps,shadowpods";
    let objects = cluster.kubectl(&["get", kinds, "--all-namespaces", "-o", "name"]).unwrap();
    let nodes =
        cluster.kubectl(&["get", "nodes", "--selector", "liqo.io/type=virtual-node", "-o", "name"]).unwrap();
    let namespaces = ["get", "namespaces", "--selector", "liqo.io/remote-cluster-id", "-o", "name"];
    objects + &nodes + &cluster.kubectl(&namespaces).unwrap()
}
