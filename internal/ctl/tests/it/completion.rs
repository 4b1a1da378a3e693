//! `liqoctl completion`, and the command that its scripts ask.

use serde_json::json;

use crate::fake_cluster::FakeCluster;
use crate::objects::*;

#[tokio::test]
async fn each_shell_has_a_script() {
    let cluster = FakeCluster::start(Vec::new()).await;
    for shell in ["bash", "zsh", "fish"] {
        let ran = cluster.run(&format!("completion {shell}")).await;
        assert!(ran.error.is_none() && ran.output.contains("__complete -- "), "{shell}");
    }
    let ran = cluster.run("completion powershell").await;
    assert!(ran.output.contains("unoffload"));
}

#[tokio::test]
async fn names_are_those_of_the_cluster() {
    let mut objects = peered();
    objects.push(namespace("demo"));
    let offloading = json!({"metadata": {"name": "offloading", "namespace": "demo"}, "spec": {}});
    let path = "/apis/offloading.liqo.io/v1alpha1/namespaces/demo/namespaceoffloadings/offloading";
    objects.push((path.to_owned(), offloading));
    let cluster = FakeCluster::start(objects).await;
    for (line, expected) in [
        ("unpeer", "milan\t\n"),
        ("unpeer out-of-band", "milan\t\n"),
        ("status peer", "milan\t\n"),
        ("status peer milan", ""),
        ("offload namespace", "demo\t\nliqo\t\n"),
        ("unoffload namespace", "demo\t\n"),
        ("status --namespace", "demo\t\nliqo\t\n"),
        ("version --context", "a\t\n"),
    ] {
        let output = cluster.complete(line, "").await;
        let names: Vec<&str> = output.lines().filter(|line| line.ends_with('\t')).collect();
        assert_eq!(names, expected.lines().collect::<Vec<_>>(), "{line}");
    }
    assert_eq!(cluster.complete("unpeer", "mi").await, "milan\t\n");
    assert_eq!(cluster.complete("status", "--output=js").await, "--output=json\tAs JSON\n");
    assert_eq!(cluster.complete("debug tail --file", "").await, ":files\n");
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn without_a_cluster_there_are_no_names_and_no_error() {
    let cluster = FakeCluster::start(Vec::new()).await;
    cluster.change(|world| world.without_liqo = true);
    assert_eq!(cluster.complete("release", "").await, "");
}
