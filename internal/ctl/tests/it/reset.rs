//! `liqoctl reset identity`.

use serde_json::{Value, json};

use crate::fake_cluster::FakeCluster;
use crate::objects::{MILAN, TENANT, peered};

fn secret() -> String {
    format!("/api/v1/namespaces/{TENANT}/secrets/liqo-remote-certificate")
}

/// The cluster rome, where milan has an identity or had none.
fn rome(with_identity: bool) -> Vec<(String, Value)> {
    let labels = json!({"discovery.liqo.io/cluster-id": MILAN, "discovery.liqo.io/tenant-namespace": "true"});
    let tenant = json!({"metadata": {"name": TENANT, "labels": labels}});
    let issued = json!({"metadata": {
        "name": "liqo-remote-certificate", "namespace": TENANT, "annotations": {"liqo.io/enrolled": "true"},
    }});
    let mut objects = peered();
    objects.push((format!("/api/v1/namespaces/{TENANT}"), tenant));
    if with_identity {
        objects.push((secret(), issued));
    }
    objects
}

#[tokio::test]
async fn a_peer_may_ask_again_after_its_identity_was_reset() {
    for peer in ["milan", MILAN] {
        let cluster = FakeCluster::start(rome(true)).await;
        let ran = cluster.run(&format!("reset identity {peer}")).await;
        assert_eq!(ran.error, None);
        assert!(ran.output.starts_with(&format!("INFO: Cluster {MILAN} may ask for another identity\n")));
        assert!(ran.output.contains("`liqoctl generate peer-command` prints one"), "{}", ran.output);
        assert_eq!(cluster.writes(), [format!("DELETE {}", secret())]);
    }
}

#[tokio::test]
async fn where_nothing_was_issued_there_is_nothing_to_do() {
    let cluster = FakeCluster::start(rome(false)).await;
    let ran = cluster.run("reset identity milan").await;
    assert_eq!(ran.error, None);
    assert!(ran.output.contains("has no identity at this cluster: nothing to do"), "{}", ran.output);
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn a_peer_that_is_not_known_is_named() {
    let cluster = FakeCluster::start(rome(true)).await;
    for peer in ["milna", "a,b=c"] {
        let error = cluster.run(&format!("reset identity {peer}")).await.error.unwrap();
        assert!(
            error.starts_with(&format!("peer {peer} has no tenant namespace in this cluster")),
            "{error}"
        );
    }
    assert!(cluster.writes().is_empty());
}
