//! An agent follows a projection of a real controller: its token is checked by the API server, its trust comes from a
//! ConfigMap, and what it sees is what the controller knows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod fixture;

use std::time::Duration;

use fixture::controller::Controller;
use fixture::objects::foreign_cluster;
use fixture::{Cluster, NAMESPACE, testbed};
use liqo_projection_api::client::{Acceptance, Connection, Followed, Mounted, follow};
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent with a token that was made with these words.
fn agent(cluster: &Cluster, controller: &Controller, token: &[&str]) -> watch::Receiver<Followed> {
    let name = token.join("-");
    let path = |file: &str| cluster.directory.path().join(format!("{name}-{file}"));
    let words: Vec<&str> = ["create", "token", "-n", NAMESPACE].iter().chain(token).copied().collect();
    std::fs::write(path("token"), cluster.kubectl(&words)).unwrap();
    std::fs::write(path("ca"), authority(cluster)).unwrap();
    let connection = Connection {
        address: format!("https://{}", controller.projections),
        server_name: format!("liqo-fabric.{NAMESPACE}.svc"),
        topic: "status".to_owned(),
        seed: 7,
    };
    let credentials = Mounted { token: path("token"), authority: path("ca") };
    let (sender, followed) = watch::channel(Followed::default());
    tokio::spawn(follow(connection, credentials, Acceptance::default(), sender));
    followed
}

fn authority(cluster: &Cluster) -> String {
    let map = "configmap/liqo-fabric-ca";
    cluster.kubectl(&["wait", map, "-n", NAMESPACE, "--for=create", "--timeout=60s"]);
    cluster.kubectl(&["get", map, "-n", NAMESPACE, "-o", "jsonpath={.data.ca\\.crt}"])
}

async fn sees(followed: &mut watch::Receiver<Followed>, text: &str) {
    let seen = followed.wait_for(|followed| format!("{:?}", followed.view).contains(text));
    timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{text} is never seen")).unwrap();
}

#[tokio::test]
async fn api_an_agent_follows_what_the_controller_knows_with_its_own_token() {
    let Some(testbed) = testbed("api_an_agent_follows_what_the_controller_knows_with_its_own_token") else {
        return;
    };
    let cluster = Cluster::up(&testbed, "agents").await;
    cluster.kubectl(&["create", "serviceaccount", "liqo-fabric", "-n", NAMESPACE]);
    cluster.kubectl(&["create", "serviceaccount", "stranger", "-n", NAMESPACE]);
    let mut controller = Controller::start(&cluster, "agents");
    controller.leads(&cluster);

    let mut good = agent(&cluster, &controller, &["liqo-fabric", "--audience=liqo-fabric"]);
    cluster.apply(&foreign_cluster("milan", "milan-id"));
    sees(&mut good, "milan-id").await;
    sees(&mut good, "ForeignClusterProcessable").await;
    let epoch = good.borrow().at.unwrap().epoch;

    // A token for the API server, and one of somebody else, are worth nothing here.
    let wrong_audience = agent(&cluster, &controller, &["liqo-fabric"]);
    let wrong_account = agent(&cluster, &controller, &["stranger", "--audience=liqo-fabric"]);
    cluster.apply(&foreign_cluster("turin", "turin-id"));
    sees(&mut good, "turin-id").await;
    for refused in [wrong_audience, wrong_account] {
        assert_eq!(refused.borrow().at, None);
    }

    // While control is away the agent goes on with what it has; then it follows the next epoch.
    controller.kill();
    let gone = good.wait_for(|followed| !followed.current);
    timeout(PATIENCE, gone).await.unwrap().unwrap();
    assert!(format!("{:?}", good.borrow().view).contains("milan-id"));
    controller.restart();
    cluster.apply(&foreign_cluster("genoa", "genoa-id"));
    sees(&mut good, "genoa-id").await;
    assert!(good.borrow().at.unwrap().epoch > epoch);
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}
