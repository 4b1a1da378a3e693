//! One controller against a real API server: it converges, it is killed, it loses its volume, it explains itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod fixture;

use fixture::controller::{Controller, replay};
use fixture::objects::{foreign_cluster, namespace, offloading, picture, virtual_node};
use fixture::{Cluster, soak, testbed};
use liqo_events::Event;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// A user who changes something, as chance has it.
fn change(cluster: &Cluster, chance: &mut ChaCha8Rng) {
    let number = chance.random_range(0..4_u32);
    let peer = format!("peer-{number}");
    let space = format!("space-{number}");
    match chance.random_range(0..6_u32) {
        0 => cluster.apply(&foreign_cluster(&peer, &format!("{peer}-id"))),
        1 => cluster.apply(&foreign_cluster(&format!("{peer}-again"), &format!("{peer}-id"))),
        2 => drop(cluster.try_kubectl(&[
            "delete",
            "foreigncluster",
            &peer,
            "--ignore-not-found",
            "--wait=false",
        ])),
        3 => cluster.apply(&format!("{}---{}", namespace(&space), offloading(&space, "LocalAndRemote"))),
        4 => cluster.apply(&format!("{}---{}", namespace(&space), offloading(&space, "Local"))),
        _ => drop(cluster.try_kubectl(&[
            "delete",
            "namespaceoffloading",
            "offloading",
            "-n",
            &space,
            "--ignore-not-found",
            "--wait=false",
        ])),
    }
}

/// Leaves something whose handling can be waited for, so that everything before it was handled too.
fn settle(cluster: &Cluster, round: u32) {
    let last = format!("last-{round}");
    cluster.apply(&foreign_cluster(&last, &format!("{last}-id")));
    let object = format!("foreigncluster/{last}");
    let condition = ".status.peeringConditions[?(@.type==\"ProcessForeignClusterStatus\")].status";
    cluster.wait_for(&object, "default", condition, "Success");
    cluster.kubectl(&["wait", &object, "--for=jsonpath={.status.tenantNamespace.local}", "--timeout=60s"]);
    cluster.kubectl(&[
        "wait",
        "namespaceoffloading",
        "--all",
        "-A",
        "--for=jsonpath={.status.offloadingPhase}",
        "--timeout=60s",
    ]);
}

/// Invariants 1, 2 and 4 of the architecture, with kills at random moments.
#[tokio::test]
async fn api_a_controller_that_is_killed_at_any_moment_replays_to_the_recorded_state() {
    let Some(testbed) =
        testbed("api_a_controller_that_is_killed_at_any_moment_replays_to_the_recorded_state")
    else {
        return;
    };
    let cluster = Cluster::up(&testbed, "replay").await;
    cluster.apply(&virtual_node("milan"));
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut controller = Controller::start(&cluster, "first");
    controller.leads(&cluster);
    for round in 0..if soak() { 100 } else { 6 } {
        for _ in 0..chance.random_range(1..6_u32) {
            change(&cluster, &mut chance);
        }
        controller.kill();
        let replayed = replay(&controller.log);
        assert!(!replayed.events.is_empty());
        controller.restart();
        if round % 3 == 2 {
            settle(&cluster, round);
        }
    }
    settle(&cluster, 1000);
    assert_eq!(controller.metric("liqo_log_replay_divergences_total"), Some(0.0));

    // The volume is only a cache of what the API server has: without it the same objects come out.
    let before = picture(&cluster);
    controller.kill();
    std::fs::remove_dir_all(&controller.log).unwrap();
    controller.restart();
    controller.leads(&cluster);
    settle(&cluster, 2000);
    let after = picture(&cluster);
    similar(&before, &after);
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// Every object of before is there after, and the same.
fn similar(before: &serde_json::Value, after: &serde_json::Value) {
    let name = |item: &serde_json::Value| {
        format!("{} {} {}", item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
    };
    for item in before.as_array().unwrap() {
        let same = after.as_array().unwrap().iter().find(|other| name(other) == name(item));
        assert_eq!(Some(item), same, "{}", name(item));
    }
}

/// A user asks what happens, and why.
#[tokio::test]
async fn api_the_console_shows_what_happens_and_why() {
    let Some(testbed) = testbed("api_the_console_shows_what_happens_and_why") else { return };
    let cluster = Cluster::up(&testbed, "console").await;
    cluster.apply(&virtual_node("milan"));
    let mut controller = Controller::start(&cluster, "console");
    controller.leads(&cluster);
    cluster.apply(&format!("{}---{}", namespace("shop"), offloading("shop", "LocalAndRemote")));
    cluster.wait_for("namespacemap/milan", "maps", ".spec.desiredMapping.shop", &remote_name(&cluster));
    settle(&cluster, 0);

    let tail = controller.debug(&["tail"]);
    assert!(tail.contains("NamespaceOffloading/shop/offloading"), "{tail}");
    let why = controller.debug(&["why", "NamespaceMap/maps/milan"]);
    assert!(
        why.contains("NamespaceOffloading/shop/offloading") && why.contains("map namespace shop to"),
        "{why}"
    );

    a_console_of_others(&controller);

    // The same from a file, as on another machine.
    let file = cluster.directory.path().join("events");
    let path = file.display().to_string();
    controller.debug(&["export", &path]);
    controller.kill();
    let offline = std::process::Command::new(fixture::program("liqoctl"))
        .args(["debug", "why", "NamespaceMap/maps/milan", "--file", &path])
        .output()
        .unwrap();
    assert!(fixture::succeeded(offline, "why").contains("map namespace shop to"));
    let replayed = replay(&controller.log);
    let started =
        replayed.events.iter().filter(|event| matches!(event.open().unwrap().event, Event::Started(_)));
    assert_eq!(started.count(), 1);
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// A gRPC console that knows nothing of our protocol asks the service what it can do, and then does it.
fn a_console_of_others(controller: &Controller) {
    let build = fixture::root().join("integration/grpcurl/build.sh");
    let built = std::process::Command::new(build).output().unwrap();
    let grpcurl = fixture::succeeded(built, "build grpcurl").trim().to_owned();
    let call = |words: &[&str]| {
        let socket = format!("unix://{}", controller.socket.display());
        let (verb, data): (&[&str], &[&str]) = match words {
            [method] => (&[method], &[]),
            [method, data] => (&[method], &["-d", data]),
            _ => unreachable!("a method and its data"),
        };
        let output = std::process::Command::new(&grpcurl)
            .args(["-plaintext", "-max-time", "10"])
            .args(data)
            .arg(socket)
            .args(verb)
            .output()
            .unwrap();
        fixture::succeeded(output, &words.join(" "))
    };
    assert!(call(&["list"]).contains("liqo.debug.v1.Debug"));
    assert!(call(&["grpc.health.v1.Health/Check"]).contains("SERVING"));
    assert!(call(&["liqo.debug.v1.Debug/State"]).contains("digest"));
    assert!(call(&["liqo.debug.v1.Debug/Get", "{\"seq\": 1}"]).contains("Started"));
}

fn remote_name(cluster: &Cluster) -> String {
    let field = |key: &str| {
        cluster.kubectl(&[
            "get",
            "configmap",
            "liqo-clusterid-configmap",
            "-n",
            "liqo",
            "-o",
            &format!("jsonpath={{.data.{key}}}"),
        ])
    };
    let (id, name) = (field("CLUSTER_ID"), field("CLUSTER_NAME"));
    liqo_model::remote_namespace_name(&"shop".into(), &name.into(), &id.into()).to_string()
}
