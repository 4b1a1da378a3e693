//! Faults of components and nodes take effect, and end.

#![allow(clippy::unwrap_used, reason = "test code")]

mod fixture;

use fixture::{shared_pair, succeeded, testbed};
use liqo_testbed::{ComponentState, Testbed, Verb};

const WORKER: &str = "rome-worker";

async fn state(testbed: &Testbed, component: &str) -> (ComponentState, Option<i32>) {
    let status = testbed.status().await.unwrap();
    let nodes = status.clusters.iter().flat_map(|c| &c.nodes);
    let component =
        nodes.filter(|n| n.name == WORKER).flat_map(|n| &n.components).find(|c| c.name == component).unwrap();
    (component.state, component.pid)
}

#[tokio::test]
async fn cluster_components_can_be_killed_stopped_and_paused_and_a_node_can_lose_its_power() {
    let test = "cluster_components_can_be_killed_stopped_and_paused_and_a_node_can_lose_its_power";
    let Some(testbed) = testbed(test) else { return };
    let (rome, _) = shared_pair(&testbed).await;
    rome.fresh_namespace("faults");
    rome.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: victim, namespace: faults}}
spec:
  nodeName: {WORKER}
  terminationGracePeriodSeconds: 0
  tolerations: [{{operator: Exists}}]
  containers: [{{name: victim, image: 'testbed.local/toolbox:1'}}]
"
    ));
    rome.kubectl("wait pod/victim -n faults --for=condition=Ready --timeout=60s");

    // Killed: a new process at once, the pod never notices.
    for component in ["kubelet", "containerd", "kube-proxy"] {
        let (_, before) = state(&testbed, component).await;
        testbed.component(WORKER, Verb::Kill, component).await.unwrap();
        let (now, after) = state(&testbed, component).await;
        assert_eq!(now, ComponentState::Running, "{component}");
        assert_ne!(before, after, "{component}");
    }
    let restarts = "get pod victim -n faults -o jsonpath={.status.containerStatuses[0].restartCount}";
    assert_eq!(rome.kubectl(restarts), "0");

    // Paused: the process is there, its port is open, nobody answers.
    let once = ["curl", "-sk", "--max-time", "2", "-w", "%{http_code}", "https://127.0.0.1:10250/healthz"];
    let health = [&once[..], &["--retry", "20", "--retry-delay", "1", "--retry-connrefused"]].concat();
    assert!(testbed.exec(WORKER, &health).await.unwrap().stdout.ends_with("Unauthorized401"));
    testbed.component(WORKER, Verb::Pause, "kubelet").await.unwrap();
    assert_eq!(testbed.exec(WORKER, &once).await.unwrap().stdout, "000");
    assert_eq!(state(&testbed, "kubelet").await.0, ComponentState::Paused);
    testbed.component(WORKER, Verb::Resume, "kubelet").await.unwrap();
    assert!(testbed.exec(WORKER, &health).await.unwrap().stdout.ends_with("Unauthorized401"));

    // Stopped stays stopped until it is started.
    testbed.component(WORKER, Verb::Stop, "kube-proxy").await.unwrap();
    assert_eq!(state(&testbed, "kube-proxy").await, (ComponentState::Stopped, None));
    testbed.component(WORKER, Verb::Start, "kube-proxy").await.unwrap();
    assert_eq!(state(&testbed, "kube-proxy").await.0, ComponentState::Running);

    // A component of the control plane, with its clients waiting.
    testbed.component("rome-control-plane", Verb::Kill, "etcd").await.unwrap();
    testbed.component("rome-control-plane", Verb::Kill, "kube-apiserver").await.unwrap();
    testbed.up(&[fixture::spec("rome", 2)]).await.unwrap();
    rome.kubectl("get pod victim -n faults");

    // Without power everything of the node is gone at once; afterwards its pod runs again.
    testbed.kill_node(WORKER).await.unwrap();
    assert!(testbed.exec(WORKER, &["true"]).await.unwrap_err().line().contains("does not run"));
    let address = rome.kubectl("get node rome-worker -o jsonpath={.status.addresses[0].address}");
    let ping = ["busybox", "ping", "-c", "1", "-W", "1", &address];
    assert!(
        !testbed.exec("rome-control-plane", &ping).await.unwrap().success,
        "a node without power answers"
    );
    testbed.start_node(WORKER).await.unwrap();
    rome.kubectl("wait pod/victim -n faults --for=jsonpath={.status.containerStatuses[0].restartCount}=1 --timeout=60s");
    rome.kubectl("wait pod/victim -n faults --for=condition=Ready --timeout=60s");
    let answer = rome.try_kubectl(&["exec", "victim", "-n", "faults", "--", "curl", "-s", "localhost:8080"]);
    assert!(succeeded(answer, "exec").contains("victim"));
    rome.kubectl("delete namespace faults --timeout=90s");
}

#[tokio::test]
async fn cluster_what_half_runs_is_repaired_by_up() {
    let Some(testbed) = testbed("cluster_what_half_runs_is_repaired_by_up") else { return };
    shared_pair(&testbed).await;
    testbed.component("milan-control-plane", Verb::Stop, "kubelet").await.unwrap();
    testbed.component("milan-control-plane", Verb::Pause, "kube-scheduler").await.unwrap();
    testbed.cut(&["milan".to_owned()]).await.unwrap();
    testbed.up(&[fixture::spec("milan", 1)]).await.unwrap();
    let status = testbed.status().await.unwrap();
    let milan = status.clusters.iter().find(|c| c.name == "milan").unwrap();
    assert!(milan.ready && status.cuts.is_empty(), "{status:?}");

    testbed.kill_node("milan-control-plane").await.unwrap();
    testbed.up(&[fixture::spec("milan", 1)]).await.unwrap();
    let status = testbed.status().await.unwrap();
    assert!(status.clusters.iter().any(|c| c.name == "milan" && c.ready), "{status:?}");
}
