//! `liqoctl peer`.

use serde_json::json;

use crate::fake_cluster::{FakeCluster, World};
use crate::objects::*;

const SECRET: &str = "/api/v1/namespaces/liqo/secrets/remote-token-b6625701-6aeb-4c46-a864-bfce47c964c0";

fn out_of_band() -> String {
    format!(
        "peer out-of-band milan --auth-url https://172.18.2.1:31050 --cluster-id {MILAN} --auth-token {TOKEN} --timeout 20s"
    )
}

/// Controllers that bring the peering one step further whenever they are looked at.
fn stepwise() -> impl FnMut(&mut World) + Send {
    let mut steps = vec![
        vec![("AuthenticationStatus", "Error")],
        vec![("AuthenticationStatus", "Established"), ("OutgoingPeering", "Pending")],
        vec![("AuthenticationStatus", "Established"), ("OutgoingPeering", "Established")],
        vec![
            ("AuthenticationStatus", "Established"),
            ("OutgoingPeering", "Established"),
            ("NetworkStatus", "Established"),
        ],
    ]
    .into_iter();
    move |world: &mut World| {
        if !world.objects.contains_key(FOREIGN_CLUSTER) {
            return;
        }
        match steps.next() {
            Some(conditions) => world.change(FOREIGN_CLUSTER, json!({"status": status(&conditions)})),
            None => drop(world.objects.insert(VIRTUAL_NODE.to_owned(), virtual_node("True"))),
        }
    }
}

#[tokio::test]
async fn a_first_peering_writes_two_objects_and_waits_for_each_step() {
    let cluster = FakeCluster::with(installed(), stepwise()).await;
    // when
    let ran = cluster.run(&out_of_band()).await;
    // then
    assert_eq!(ran.error, None, "{}", ran.output);
    let done: Vec<&str> = ran.output.lines().filter(|line| line.starts_with("INFO: ")).collect();
    assert_eq!(
        done,
        [
            "INFO: Peering with cluster milan asked for",
            "INFO: Authenticated to cluster milan",
            "INFO: Namespaces shared with cluster milan made",
            "INFO: Cluster milan asked for resources",
            "INFO: Resources of cluster milan offered and accepted",
            "INFO: Network to cluster milan established",
            "INFO: Virtual node of cluster milan ready",
            "INFO: API server of cluster milan reached",
            "INFO: Peering successfully established",
        ]
    );
    let said = "Waiting for cluster milan to accept the identity of this one (step 1 of 7, authentication)\n  \
                https://172.18.2.1:31050: AuthenticationStatus is Error (AuthenticationStatusError): as the controller \
                says\n";
    assert!(ran.output.contains(said), "{}", ran.output);
    assert!(!ran.output.contains(TOKEN), "{}", ran.output);
    let secrets = "POST /api/v1/namespaces/liqo/secrets".to_owned();
    assert_eq!(cluster.writes(), [secrets, format!("POST {FOREIGN_CLUSTERS}")]);
    let secret = cluster.object(SECRET).unwrap();
    assert_eq!(secret["data"], json!({"token": TOKEN_BASE64}));
    let labels = json!({"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": MILAN});
    assert_eq!(secret["metadata"]["labels"], labels);
    assert_eq!(cluster.object(FOREIGN_CLUSTER).unwrap()["spec"], foreign_cluster("Yes")["spec"]);

    // and again: nothing is written
    let ran = cluster.run(&out_of_band()).await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(
        ran.output.starts_with("INFO: Peering with cluster milan was asked for before\n"),
        "{}",
        ran.output
    );
    assert_eq!(cluster.writes(), [""; 0]);
}

#[tokio::test]
async fn a_step_that_does_not_come_is_told_with_its_condition_and_remedy() {
    let refused = |world: &mut World| {
        world.change(FOREIGN_CLUSTER, json!({"status": status(&[("AuthenticationStatus", "Error")])}));
    };
    let cluster = FakeCluster::with(installed(), refused).await;
    let ran = cluster.run(&out_of_band().replace("20s", "2s")).await;
    let error = ran.error.unwrap();
    let expected = "waited 2s for cluster milan to accept the identity of this one (step 1 of 7, authentication), in \
                    vain: https://172.18.2.1:31050: AuthenticationStatus is Error (AuthenticationStatusError): as the \
                    controller says; check --auth-url";
    assert!(error.starts_with(expected), "{error}");
    assert!(!error.contains(TOKEN), "{error}");
}

#[tokio::test]
async fn a_peer_that_vanishes_ends_the_wait() {
    let vanishing = |world: &mut World| drop(world.objects.remove(FOREIGN_CLUSTER));
    let cluster = FakeCluster::with(installed(), vanishing).await;
    let error = cluster.run(&out_of_band()).await.error.unwrap();
    assert!(error.starts_with("ForeignCluster milan was deleted by somebody else: "), "{error}");
}

#[tokio::test]
async fn a_step_names_the_other_end_that_it_is_about() {
    let conditions = [("AuthenticationStatus", "Established"), ("OutgoingPeering", "Pending")];
    let mut peer = foreign_cluster("Yes");
    peer["status"] = status(&conditions);
    peer["status"]["tenantNamespace"] = json!({"local": TENANT, "remote": "liqo-tenant-rome-03c9e0"});
    let objects = installed().into_iter().chain([(FOREIGN_CLUSTER.to_owned(), peer), identity_secret()]);
    let cluster = FakeCluster::start(objects.collect()).await;
    let error = cluster.run("peer milan --timeout 1s").await.error.unwrap();
    let expected = "waited 1s for resources of cluster milan (step 4 of 7, offer), in vain: https://172.18.2.1:6443: \
                    OutgoingPeering is Pending (OutgoingPeeringPending): as the controller says; check in the other \
                    cluster that it allows incoming peerings";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn nothing_is_written_for_what_cannot_be() {
    let cluster = FakeCluster::start(installed()).await;
    let own = out_of_band().replace(MILAN, ROME);
    let error = cluster.run(&own).await.error.unwrap();
    assert!(error.contains("is this very cluster"), "{error}");
    let mut in_band = foreign_cluster("No");
    in_band["spec"]["peeringType"] = json!("InBand");
    let objects = installed().into_iter().chain([(FOREIGN_CLUSTER.to_owned(), in_band)]).collect();
    let other = FakeCluster::start(objects).await;
    let error = other.run(&out_of_band()).await.error.unwrap();
    assert!(error.starts_with("ForeignCluster milan has spec.peeringType InBand"), "{error}");
    assert_eq!((cluster.writes(), other.writes()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_known_cluster_is_peered_with_by_its_name() {
    let objects =
        installed().into_iter().chain([(FOREIGN_CLUSTER.to_owned(), foreign_cluster("Auto"))]).collect();
    let cluster = FakeCluster::with(objects, stepwise()).await;
    let ran = cluster.run("peer milan --timeout 20s").await;
    assert_eq!(ran.error, None, "{}", ran.output);
    assert!(ran.output.ends_with("INFO: Peering successfully established\n"), "{}", ran.output);
    assert_eq!(cluster.writes(), [format!("PATCH {FOREIGN_CLUSTER}")]);
    let ran = cluster.run("peer milan").await;
    assert_eq!((ran.error, cluster.writes()), (None, Vec::new()));
    let error = cluster.run("peer naples").await.error.unwrap();
    assert_eq!(error, "ForeignCluster naples does not exist: there are: milan");
}
