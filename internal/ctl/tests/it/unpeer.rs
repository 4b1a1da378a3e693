//! `liqoctl unpeer`.

use serde_json::{Value, json};

use crate::fake_cluster::{FakeCluster, World};
use crate::objects::*;

/// Controllers that end a peering when that is asked for: first the node goes, then the condition.
fn ending(incoming: &'static str) -> impl FnMut(&mut World) + Send {
    let mut looked = 0;
    move |world: &mut World| {
        let Some(peer) = world.objects.get(FOREIGN_CLUSTER) else { return };
        if peer["spec"]["outgoingPeeringEnabled"] != "No" {
            return;
        }
        looked += 1;
        let outgoing = if looked < 2 { "Disconnecting" } else { "None" };
        let conditions = [("OutgoingPeering", outgoing), ("IncomingPeering", incoming)];
        world.change(FOREIGN_CLUSTER, json!({"status": status(&conditions)}));
        if looked > 3 {
            world.objects.remove(VIRTUAL_NODE);
        }
        if looked > 6 && world.objects[FOREIGN_CLUSTER]["metadata"]["deletionTimestamp"].is_string() {
            world.objects.remove(FOREIGN_CLUSTER);
        }
    }
}

fn peered_with_finalizer() -> Vec<(String, Value)> {
    let mut objects = peered();
    objects[0].1["metadata"]["finalizers"] = json!(["crdReplicator.liqo.io"]);
    objects
}

#[tokio::test]
async fn a_peering_out_of_band_ends_and_the_cluster_is_forgotten() {
    let cluster = FakeCluster::with(peered_with_finalizer(), ending("None")).await;
    let ran = cluster.run("unpeer out-of-band milan --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    let expected = "\
Waiting for the end of the peering with cluster milan (step 1 of 3, offer)
  OutgoingPeering is Disconnecting (OutgoingPeeringDisconnecting): as the controller says
INFO: Peering with cluster milan ended
Waiting for the virtual node of cluster milan to go (step 2 of 3, node)
  node liqo-milan is still there
INFO: Virtual node of cluster milan removed
Waiting for ForeignCluster milan to go (step 3 of 3, ForeignCluster)
";
    assert!(ran.output.starts_with(expected), "{}", ran.output);
    assert!(ran.output.ends_with("INFO: ForeignCluster milan removed\n"), "{}", ran.output);
    let writes = [format!("PATCH {FOREIGN_CLUSTER}"), format!("DELETE {FOREIGN_CLUSTER}")];
    assert_eq!(cluster.writes(), writes);
    // and again
    let ran = cluster.run("unpeer oob milan").await;
    assert_eq!(
        ran.error.unwrap(),
        "ForeignCluster milan does not exist: this cluster has no peers: `liqoctl peer out-of-band` makes one"
    );
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn a_cluster_that_uses_resources_of_this_one_is_kept() {
    let cluster = FakeCluster::with(peered(), ending("Established")).await;
    let ran = cluster.run("unpeer out-of-band milan --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert_eq!(ran.output.lines().filter(|line| line.starts_with("WARN: ")).count(), 2, "{}", ran.output);
    assert_eq!(cluster.writes(), [format!("PATCH {FOREIGN_CLUSTER}")]);
}

#[tokio::test]
async fn a_cluster_that_is_gone_for_ever_is_given_up() {
    let given_up = |world: &mut World| {
        let Some(peer) = world.objects.get(FOREIGN_CLUSTER) else { return };
        if peer["metadata"]["annotations"]["liqo.io/given-up"] == "true"
            && peer["metadata"]["deletionTimestamp"].is_string()
        {
            world.objects.remove(FOREIGN_CLUSTER);
        }
    };
    let mut objects = peered_with_finalizer();
    objects[0].1["status"] =
        status(&[("OutgoingPeering", "Established"), ("IncomingPeering", "Established")]);
    let cluster = FakeCluster::with(objects, given_up).await;
    let planned = cluster.run("unpeer out-of-band milan --force --plan").await;
    assert_eq!(planned.error, None, "{}", planned.output);
    assert!(planned.output.contains("liqo.io/given-up"), "{}", planned.output);
    assert!(!planned.output.contains("control plane of cluster milan"), "{}", planned.output);
    assert!(cluster.writes().is_empty());
    let ran = cluster.run("unpeer out-of-band milan --force --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(ran.output.ends_with("INFO: ForeignCluster milan removed\n"), "{}", ran.output);
    let writes = [format!("PATCH {FOREIGN_CLUSTER}"), format!("DELETE {FOREIGN_CLUSTER}")];
    assert_eq!(cluster.writes(), writes);
}

#[tokio::test]
async fn one_direction_ends_by_name() {
    let cluster = FakeCluster::with(peered(), ending("None")).await;
    let ran = cluster.run("unpeer milan --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert_eq!(cluster.writes(), [format!("PATCH {FOREIGN_CLUSTER}")]);
    assert!(cluster.object(FOREIGN_CLUSTER).is_some());
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_told() {
    let mut objects = peered();
    objects[0].1["status"]["tenantNamespace"] = json!({"local": TENANT});
    objects.push(identity_secret());
    let cluster = FakeCluster::start(objects).await;
    let error = cluster.run("unpeer milan --timeout 2s").await.error.unwrap();
    let expected = "waited 2s for the end of the peering with cluster milan (step 1 of 3, offer), in vain: \
                    https://172.18.2.1:6443: OutgoingPeering is Established (OutgoingPeeringEstablished): as the \
                    controller says; the other cluster has to take its offer back";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_node_that_stays_is_told_with_the_other_end_and_the_remedy() {
    let withdrawn = |world: &mut World| {
        world.change(FOREIGN_CLUSTER, json!({"status": status(&[("OutgoingPeering", "None")])}));
    };
    let mut objects = peered();
    objects[0].1["status"]["tenantNamespace"] = json!({"local": TENANT});
    objects.push(identity_secret());
    let cluster = FakeCluster::with(objects, withdrawn).await;
    let error = cluster.run("unpeer milan --timeout 1s").await.error.unwrap();
    let expected = "waited 1s for the virtual node of cluster milan to go (step 2 of 3, node), in vain: \
                    https://172.18.2.1:6443: node liqo-milan is still there; pods on it are evicted first";
    assert!(error.starts_with(expected), "{error}");
}
