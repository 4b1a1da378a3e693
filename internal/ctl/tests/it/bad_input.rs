//! What users get wrong: one error each, which says what to do, and nothing is written.

use serde_json::json;

use crate::fake_cluster::FakeCluster;
use crate::objects::*;

/// What each verb says that takes the name of a peer.
async fn refused(cluster: &FakeCluster, name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    for verb in ["peer", "unpeer", "unpeer out-of-band"] {
        let ran = cluster.run(&format!("{verb} {name} --timeout 1s")).await;
        assert_eq!(ran.output, "");
        errors.push(ran.error.unwrap());
    }
    assert!(cluster.writes().is_empty());
    errors
}

fn out_of_band(name: &str, id: &str) -> String {
    format!(
        "peer out-of-band {name} --auth-url https://172.18.2.1:31050 --cluster-id {id} --auth-token {TOKEN}"
    )
}

#[tokio::test]
async fn a_name_that_no_object_can_have() {
    let cluster = FakeCluster::start(peered()).await;
    let expected = "CLUSTER \"Milan\" is no DNS label: use 1 to 63 lower-case letters, digits and hyphens, beginning and \
                    ending with a letter or digit";
    assert_eq!(refused(&cluster, "Milan").await, [expected; 3]);
    assert_eq!(cluster.run(&out_of_band("Milan", MILAN)).await.error.unwrap(), expected);
}

#[tokio::test]
async fn a_peer_that_is_not_known() {
    let cluster = FakeCluster::start(peered()).await;
    assert_eq!(
        refused(&cluster, "milna").await,
        ["ForeignCluster milna does not exist: did you mean milan?"; 3]
    );
    let by_id =
        format!("ForeignCluster {MILAN} does not exist: that is a cluster ID, of ForeignCluster milan");
    assert_eq!(refused(&cluster, MILAN).await, [by_id.as_str(); 3]);
}

#[tokio::test]
async fn a_cluster_without_liqo() {
    let cluster = FakeCluster::start(Vec::new()).await;
    cluster.change(|world| world.without_liqo = true);
    let expected = "Liqo is not installed in this cluster, which has no kind ForeignCluster: choose another cluster by \
                    --context or --kubeconfig, or install Liqo as its README says, with `kubectl apply --server-side -f \
                    deploy/crds -f deploy/rbac -f deploy/manifests`";
    assert_eq!(refused(&cluster, "milan").await, [expected; 3]);
    for line in [out_of_band("milan", MILAN), "status peer".to_owned()] {
        assert_eq!(cluster.run(&line).await.error.unwrap(), expected, "{line}");
    }
    let error = cluster.run("offload namespace demo").await.error.unwrap();
    assert!(error.contains("has no kind NamespaceOffloading"), "{error}");
}

#[tokio::test]
async fn several_objects_for_one_cluster() {
    let mut objects = peered();
    let mut second = foreign_cluster("No");
    second["metadata"]["name"] = json!("milan-2");
    second["metadata"]["creationTimestamp"] = json!("2026-11-22T15:00:00Z");
    objects.push((format!("{FOREIGN_CLUSTERS}/milan-2"), second));
    let cluster = FakeCluster::start(objects).await;
    let expected = format!(
        "cluster {MILAN} has several ForeignClusters: milan milan-2: the oldest, milan, alone counts: `kubectl delete \
         foreignclusters milan-2`, and use milan"
    );
    for line in ["peer milan-2".to_owned(), "peer milan".to_owned(), out_of_band("milan", MILAN)] {
        assert_eq!(cluster.run(&line).await.error.as_ref(), Some(&expected), "{line}");
    }
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn this_very_cluster() {
    let mut objects = installed();
    let mut own = foreign_cluster("No");
    own["metadata"] = json!({"name": "rome", "labels": {"discovery.liqo.io/cluster-id": ROME}});
    own["spec"]["clusterIdentity"] = json!({"clusterID": ROME, "clusterName": "rome"});
    objects.push((format!("{FOREIGN_CLUSTERS}/rome"), own));
    let cluster = FakeCluster::start(objects).await;
    let error = cluster.run("peer rome").await.error.unwrap();
    let expected = "ForeignCluster rome stands for this very cluster: `kubectl delete foreigncluster rome`, and run the \
                    command in the other cluster";
    assert_eq!(error, expected);
    let error = cluster.run(&out_of_band("milan", ROME)).await.error.unwrap();
    let expected = format!(
        "--cluster-id {ROME} is this very cluster: run the command in the cluster that is to use resources"
    );
    assert_eq!(error, expected);
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn a_peer_that_is_on_its_way_out() {
    let mut objects = peered();
    objects[0].1["metadata"]["deletionTimestamp"] = json!("2026-11-22T14:00:00Z");
    let cluster = FakeCluster::start(objects).await;
    let error = cluster.run("peer milan").await.error.unwrap();
    assert!(error.starts_with("ForeignCluster milan is being deleted: wait until it is gone"), "{error}");
}
