//! `liqoctl offload` and `liqoctl unoffload`.

use serde_json::{Value, json};

use crate::fake_cluster::{FakeCluster, World};
use crate::objects::namespace;

const OFFLOADINGS: &str = "/apis/offloading.liqo.io/v1alpha1/namespaces/demo/namespaceoffloadings";

fn offloading() -> String {
    format!("{OFFLOADINGS}/offloading")
}

/// A controller that handles the object at once, and gives it this phase.
fn answering(phase: &'static str) -> impl FnMut(&mut World) + Send {
    move |world: &mut World| {
        let Some(object) = world.objects.get(&offloading()) else { return };
        let generation = object["metadata"]["generation"].clone();
        let condition =
            json!([{"type": "Ready", "status": "False", "reason": "NoRights", "message": "it says"}]);
        let status = json!({
            "observedGeneration": generation, "offloadingPhase": phase,
            "remoteNamespacesConditions": {"milan-efa86c": condition},
        });
        world.change(&offloading(), json!({"status": status}));
    }
}

async fn demo(phase: &'static str) -> FakeCluster {
    FakeCluster::with(vec![namespace("demo")], answering(phase)).await
}

fn spec(cluster: &FakeCluster) -> Value {
    cluster.object(&offloading()).unwrap()["spec"].clone()
}

#[tokio::test]
async fn a_namespace_is_offloaded_and_its_strategy_changed() {
    let cluster = demo("Ready").await;
    let ran = cluster.run("offload namespace demo").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert_eq!(
        ran.output,
        "Waiting for the offloading of namespace demo\nINFO: Offloading completed successfully\n"
    );
    let written = json!({
        "clusterSelector": {"nodeSelectorTerms": []},
        "namespaceMappingStrategy": "DefaultName",
        "podOffloadingStrategy": "LocalAndRemote",
    });
    assert_eq!(spec(&cluster), written);
    assert_eq!(cluster.writes(), [format!("POST {OFFLOADINGS}")]);
    // again: nothing is written
    let ran = cluster.run("offload ns demo").await;
    assert!(
        ran.output.starts_with("INFO: Namespace demo was offloaded in this way before\n"),
        "{}",
        ran.output
    );
    assert_eq!((ran.error, cluster.writes()), (None, Vec::new()));
    // tighter: warned of
    let ran = cluster.run("offload namespace demo --pod-offloading-strategy Remote").await;
    assert_eq!(ran.output.matches("WARN: ").count(), 2, "{}", ran.output);
    assert_eq!(spec(&cluster)["podOffloadingStrategy"], "Remote");
    // another name: never
    let ran = cluster.run("offload namespace demo --namespace-mapping-strategy EnforceSameName").await;
    assert!(ran.error.unwrap().contains("which never changes"));
}

#[tokio::test]
async fn selectors_are_alternatives_of_requirements() {
    let cluster = demo("NoClusterSelected").await;
    let line = "offload namespace demo --selector=region=south,!staging -l liqo.io/provider";
    let ran = cluster.run(line).await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(ran.output.contains("WARN: Offloading completed, but no cluster was selected"), "{}", ran.output);
    let terms = json!([
        {"matchExpressions": [
            {"key": "region", "operator": "In", "values": ["south"]},
            {"key": "staging", "operator": "DoesNotExist"},
        ]},
        {"matchExpressions": [{"key": "liqo.io/provider", "operator": "Exists"}]},
    ]);
    assert_eq!(spec(&cluster)["clusterSelector"]["nodeSelectorTerms"], terms);
}

#[tokio::test]
async fn a_failure_is_told_at_once_and_a_silent_control_plane_at_the_deadline() {
    let error = demo("AllFailed").await.run("offload namespace demo").await.error.unwrap();
    assert!(error.contains("in milan-efa86c: Ready is False (NoRights): it says"), "{error}");
    let silent = FakeCluster::start(vec![namespace("demo")]).await;
    let error = silent.run("offload namespace demo --timeout 2s").await.error.unwrap();
    let expected =
        "waited 2s for the offloading of namespace demo, in vain: the control plane has not handled";
    assert!(error.starts_with(expected), "{error}");
    let error = silent.run("offload namespace shop").await.error.unwrap();
    assert_eq!(error, "namespace shop does not exist: make it with `kubectl create namespace shop`");
}

#[tokio::test]
async fn the_object_is_printed_without_a_cluster() {
    let cluster = FakeCluster::start(Vec::new()).await;
    let ran = cluster.run("offload namespace foo --output yaml").await;
    assert!(ran.output.starts_with("apiVersion: offloading.liqo.io/v1alpha1\nkind: NamespaceOffloading\n"));
    assert_eq!((ran.error, cluster.writes()), (None, Vec::new()));
}

#[tokio::test]
async fn a_namespace_is_unoffloaded() {
    let mut looked = 0;
    let cluster = FakeCluster::with(vec![namespace("demo")], move |world| {
        let ending = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
        if world.objects.get(&offloading()).is_some_and(ending) {
            looked += 1;
            world.change(&offloading(), json!({"status": {"offloadingPhase": "Terminating"}}));
        } else {
            world.change(&offloading(), json!({"metadata": {"finalizers": ["x"]}}));
            answering("Ready")(world);
        }
        if looked > 2 {
            world.objects.remove(&offloading());
        }
    })
    .await;
    assert_eq!(cluster.run("offload namespace demo").await.error, None);
    cluster.writes();
    let ran = cluster.run("unoffload namespace demo --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(ran.output.contains("  phase Terminating"), "{}", ran.output);
    assert!(ran.output.ends_with("INFO: Unoffloading completed successfully\n"), "{}", ran.output);
    assert_eq!(cluster.writes(), [format!("DELETE {}", offloading())]);
    let ran = cluster.run("unoffload namespace demo").await;
    assert_eq!(ran.output, "INFO: Namespace demo is not offloaded: nothing to do\n");
}
