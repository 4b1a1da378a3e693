//! `liqoctl generate peer-command`.

use crate::fake_cluster::FakeCluster;
use crate::objects::{ROME, TOKEN, installed};

fn command() -> String {
    format!(
        "liqoctl peer out-of-band rome --auth-url https://172.18.1.1:31770 --cluster-id {ROME} --auth-token {TOKEN}\n"
    )
}

#[tokio::test]
async fn the_command_is_printed_alone_when_asked_for() {
    let cluster = FakeCluster::start(installed()).await;
    let ran = cluster.run("generate peer-command --only-command").await;
    assert_eq!((ran.output, ran.error), (command(), None));
    let ran = cluster.run("generate peer-command").await;
    assert!(ran.output.starts_with("INFO: Peering information read\n\nRun this command"), "{}", ran.output);
    assert!(ran.output.ends_with(&format!("\n\n{}", command())), "{}", ran.output);
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let without = |path: &str| {
        let objects = installed().into_iter().filter(|(key, _)| !key.ends_with(path)).collect();
        FakeCluster::start(objects)
    };
    for (path, expected) in [
        (
            "liqo-clusterid-configmap",
            "namespace liqo has 0 ConfigMaps with label app.kubernetes.io/name=clusterid",
        ),
        ("liqo-auth", "Service liqo/liqo-auth does not exist: check --namespace"),
        ("auth-token", "Secret liqo/auth-token does not exist: the authentication service makes it"),
        ("rome-worker", "peers cannot reach the Service liqo-auth, no node has an address"),
    ] {
        let ran = without(path).await.run("generate peer-command -n liqo").await;
        let error = ran.error.unwrap();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(ran.output, "");
    }
}
