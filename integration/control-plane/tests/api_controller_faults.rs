//! Controllers whose API server, volume or competitor misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod fixture;

use std::path::Path;
use std::process::Command;

use fixture::audit::writes;
use fixture::controller::{Controller, replay};
use fixture::lone_writer::LoneWriter;
use fixture::objects::{
    LARGEST_TEXT, annotated_foreign_cluster, foreign_cluster, large_map, large_pod, large_shadow_pod,
    namespace, offloading, virtual_node,
};
use fixture::{Cluster, NAMESPACE, testbed};
use liqo_engine::{Disposition, Outcome};
use liqo_testbed::{Testbed, Verb};

const LEASE: &str = "lease/66cf253f.ctrlmgr.liqo.io";

/// Makes a ForeignCluster and waits until the controllers have dealt with it.
fn handled(cluster: &Cluster, name: &str) {
    cluster.apply(&foreign_cluster(name, &format!("{name}-id")));
    let object = format!("foreigncluster/{name}");
    cluster.kubectl(&["wait", &object, "--for=jsonpath={.status.tenantNamespace.local}", "--timeout=60s"]);
}

/// Invariant: only the holder of the lease writes, also when the one before wakes up and still believes that it leads.
#[tokio::test]
async fn api_a_leader_that_slept_writes_nothing_once_another_leads() {
    let Some(testbed) = testbed("api_a_leader_that_slept_writes_nothing_once_another_leads") else { return };
    let cluster = Cluster::up(&testbed, "handover").await;
    let mut first = Controller::start(&cluster, "first");
    first.leads(&cluster);
    handled(&cluster, "before");
    let mut second = Controller::start(&cluster, "second");
    first.pause();
    // What the sleeper would do if it did not look: there is work, and it knows what to do.
    cluster.apply(&foreign_cluster("meanwhile", "meanwhile-id"));
    second.leads(&cluster);
    handled(&cluster, "after");
    let taken = cluster.kubectl(&["get", LEASE, "-n", NAMESPACE, "-o", "jsonpath={.spec.acquireTime}"]);
    first.resume();
    handled(&cluster, "awake");
    assert_eq!(first.metric("liqo_engine_leader"), Some(0.0));
    assert_eq!(second.metric("liqo_engine_live"), Some(1.0));

    let late: Vec<_> = writes(&testbed, &cluster)
        .into_iter()
        .filter(|write| write.at.as_str() > taken.trim_end_matches('Z') && write.is_by(&cluster, "first"))
        .collect();
    assert!(late.is_empty(), "{late:?}");
    assert!(writes(&testbed, &cluster).iter().any(|write| write.is_by(&cluster, "first")));

    // A leader that ends well gives the lease back at once.
    assert!(second.stop());
    first.leads(&cluster);
    assert!(first.stop());
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// The log is never a reason not to run: each of these says so and goes on.
#[tokio::test]
async fn api_a_controller_without_a_usable_volume_runs_and_says_so() {
    let Some(testbed) = testbed("api_a_controller_without_a_usable_volume_runs_and_says_so") else { return };
    let cluster = Cluster::up(&testbed, "volumes").await;
    let base = cluster.directory.path().to_owned();

    missing_volume(&cluster, &base);

    // A volume that another process uses: it is refused, and the other one is not disturbed.
    let mut owner = Controller::start_in(&cluster, "owner", &base.join("owner-log"), POD);
    owner.leads(&cluster);
    let mut intruder = Controller::start_at(&cluster, "intruder", &owner.log);
    assert_eq!(intruder.metric("liqo_log_degraded"), Some(1.0));
    handled(&cluster, "owned");
    let refused = intruder.refuses(&["release", "owned"]);
    assert!(refused.contains("ask the pod with uid owner, which leads"), "{refused}");
    assert_eq!(owner.metric("liqo_log_degraded"), Some(0.0));
    intruder.kill();

    // Bytes that changed on the disk: whole or put aside, never wrong, and the same objects come out.
    owner.kill();
    damage(&owner.log);
    owner.restart();
    owner.leads(&cluster);
    handled(&cluster, "damaged");
    assert_eq!(owner.metric("liqo_log_degraded"), Some(0.0));
    assert_eq!(owner.metric("liqo_log_quarantined_total"), Some(1.0));
    let state = owner.debug(&["state"]);
    let aside =
        walk(&owner.log).iter().any(|file| state.contains(&file.parent().unwrap().display().to_string()));
    assert!(state.contains("log quarantined:") && aside, "{state}");
    let told = pod_event(&cluster, "LogQuarantined", "Warning");
    assert!(told.starts_with("the log could not be used and was put aside: "), "{told}");
    owner.kill();
    replay(&owner.log);

    full_disk(&cluster, &base.join("small"));
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// The pod that a controller is told to run in. It has no node, so no kubelet speaks of it.
const POD: &str = "manager-0";

/// A volume that is missing, and is there when the container is started again: the pod says so.
fn missing_volume(cluster: &Cluster, base: &Path) {
    cluster.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: {POD}, namespace: {NAMESPACE}}}
spec:
  serviceAccountName: liqo-controller-manager
  automountServiceAccountToken: false
  readinessGates: [{{conditionType: example.com/others}}]
  containers: [{{name: manager, image: none}}]
"
    ));
    let others = r#"{"status": {"conditions": [{"type": "example.com/others", "status": "True"}]}}"#;
    cluster.kubectl(&["patch", "pod", POD, "-n", NAMESPACE, "--subresource=status", "-p", others]);
    let condition = |status: &str| {
        let condition = format!("--for=condition=liqo.io/LogDegraded={status}");
        cluster.kubectl(&["wait", "pod", POD, "-n", NAMESPACE, &condition, "--timeout=60s"]);
        cluster.kubectl(&["wait", "pod", POD, "-n", NAMESPACE, "--for=condition=example.com/others"]);
    };
    // Its parent is a file.
    let parent = base.join("file");
    std::fs::write(&parent, "x").unwrap();
    let mut missing = Controller::start_in(cluster, "missing", &parent.join("log"), POD);
    missing.leads(cluster);
    handled(cluster, "missing");
    assert_eq!(missing.metric("liqo_log_degraded"), Some(1.0));
    assert_eq!(missing.get("livez"), "ok\n");
    let state = missing.debug(&["state"]);
    assert!(state.contains("in memory only since ") && state.contains("log on volume:"), "{state}");
    condition("True");
    let told = pod_event(cluster, "LogDegraded", "Warning");
    assert!(told.ends_with("events are in memory only, a new log is tried each minute"), "{told}");
    assert!(missing.stop());

    std::fs::remove_file(&parent).unwrap();
    missing.restart();
    condition("False");
    assert_eq!(pod_event(cluster, "LogHealed", "Normal"), "events are durable again");
    assert_eq!(missing.metric("liqo_log_degraded"), Some(0.0));
    assert!(missing.stop());
}

/// The message of the one Event of this reason and type about the pod.
fn pod_event(cluster: &Cluster, reason: &str, kind: &str) -> String {
    let selector = format!("--field-selector=involvedObject.name={POD},reason={reason},type={kind}");
    let path = "jsonpath={.items[*].message}";
    let wait = ["wait", "event", "-n", NAMESPACE, &selector, "--for=create", "--timeout=60s"];
    cluster.kubectl(&wait);
    cluster.kubectl(&["get", "events", "-n", NAMESPACE, &selector, "-o", path])
}

/// A volume that fills up while the controller runs.
fn full_disk(cluster: &Cluster, volume: &Path) {
    std::fs::create_dir(volume).unwrap();
    let path = volume.display().to_string();
    let mount = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", &path];
    assert!(Command::new("mount").args(mount).status().unwrap().success());
    let mut controller = Controller::start_at(cluster, "full", &volume.join("log"));
    controller.leads(cluster);
    handled(cluster, "roomy");
    // What is left of the disk goes to somebody else.
    let fill = format!("of={path}/fill");
    let _ = Command::new("dd").args(["if=/dev/zero", &fill, "bs=64k", "status=none"]).status().unwrap();
    for number in 0..200 {
        cluster.apply(&foreign_cluster("wanderer", &format!("wanderer-{number}-id")));
        cluster.kubectl(&["delete", "foreigncluster", "wanderer"]);
        if controller.metric("liqo_log_degraded") == Some(1.0) {
            break;
        }
    }
    handled(cluster, "full");
    assert_eq!(controller.metric("liqo_log_degraded"), Some(1.0));
    assert!(controller.is_running());
    controller.kill();
    assert!(Command::new("umount").args(["--lazy", &path]).status().unwrap().success());
}

/// Flips a byte in every file of the store that is large enough to have one in its middle.
fn damage(log: &Path) {
    for entry in walk(log) {
        let mut bytes = std::fs::read(&entry).unwrap();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0x10;
        }
        std::fs::write(&entry, bytes).unwrap();
    }
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path.metadata().unwrap().len() > 16 {
            files.push(path);
        }
    }
    files
}

/// The API server goes away, comes back, and has forgotten what happened meanwhile.
#[tokio::test]
async fn api_a_watch_survives_its_api_server_and_what_that_forgot() {
    let Some(testbed) = testbed("api_a_watch_survives_its_api_server_and_what_that_forgot") else { return };
    let cluster = Cluster::up(&testbed, "away").await;
    cluster.apply(&virtual_node("milan"));
    let mut controller = Controller::start(&cluster, "away");
    controller.leads(&cluster);
    handled(&cluster, "before");
    let node = format!("{}-control-plane", cluster.name);
    testbed.component(&node, Verb::Kill, "kube-apiserver").await.unwrap();
    answers(&cluster);
    handled(&cluster, "returned");
    assert!(controller.is_running());

    // While the controller is dead, its cursors become too old.
    controller.kill();
    let list = cluster.kubectl(&["get", "--raw", "/apis/discovery.liqo.io/v1alpha1/foreignclusters?limit=1"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    cluster.apply(&format!("{}---{}", namespace("shop"), offloading("shop", "LocalAndRemote")));
    cluster.kubectl(&["delete", "foreigncluster", "before"]);
    // An API server that has just started knows nothing of what was before, and refuses to continue from there.
    testbed.component(&node, Verb::Kill, "kube-apiserver").await.unwrap();
    answers(&cluster);
    too_old(&cluster, &version);
    controller.restart();
    controller.leads(&cluster);
    handled(&cluster, "expired");
    cluster.wait_for("namespaceoffloading/offloading", "shop", ".status.offloadingPhase", "InProgress");
    assert!(controller.metric("liqo_kube_relists_total").unwrap() > 0.0);
    controller.kill();
    let replayed = replay(&controller.log);
    let known =
        |name: &str| replayed.state.local(liqo_model::Kind::ForeignCluster).any(|(key, _)| key.name == name);
    assert!(known("expired") && !known("before"));
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// Invariant 8: a cluster that was restored from a backup begins a new generation, and absence then proves nothing.
#[tokio::test]
async fn api_a_cluster_restored_from_a_backup_is_noticed_and_nothing_is_destroyed() {
    let Some(testbed) = testbed("api_a_cluster_restored_from_a_backup_is_noticed_and_nothing_is_destroyed")
    else {
        return;
    };
    let cluster = Cluster::up(&testbed, "restored").await;
    let mut controller = Controller::start(&cluster, "restored");
    controller.leads(&cluster);
    cluster.apply(&virtual_node("milan"));
    handled(&cluster, "early");
    LoneWriter::leave_a_lease(&cluster).await;
    let [first, second] = ["first", "second"].map(|name| LoneWriter::make(&cluster, name));
    with_etcd_stopped(&testbed, &cluster, "cp -a /var/lib/etcd /var/lib/etcd.backup").await;
    cluster.apply(&format!("{}---{}", namespace("shop"), offloading("shop", "LocalAndRemote")));
    handled(&cluster, "late");
    cluster.wait_for("namespaceoffloading/offloading", "shop", ".status.offloadingPhase", "InProgress");

    let restore = "rm -rf /var/lib/etcd && mv /var/lib/etcd.backup /var/lib/etcd";
    let lone = LoneWriter::take_the_lease(&cluster).await;
    assert!(matches!(lone.delete("first", &first).await, Outcome::Succeeded { .. }));
    assert_eq!(LoneWriter::find(&cluster, "first"), "");
    with_etcd_stopped(&testbed, &cluster, restore).await;
    handled(&cluster, "again");
    // What was decided before and is only carried out now: the same uid is there, and stays.
    let outcome = lone.delete("second", &second).await;
    assert!(matches!(outcome, Outcome::Failed { disposition: Disposition::Retry { .. }, .. }), "{outcome:?}");
    assert_eq!(lone.generation().await, 2);
    assert_eq!(LoneWriter::find(&cluster, "first"), first);
    assert_eq!(LoneWriter::find(&cluster, "second"), second);
    controller.kill();
    let replayed = replay(&controller.log);
    assert_eq!(replayed.state.generation(&liqo_model::ClusterRef::Local), 2, "{}", controller.printed());
    let destructive = replayed.events.iter().filter(|envelope| match envelope.open().unwrap().event {
        liqo_events::Event::CommandIssued(issued) => issued.command.effect.is_destructive(),
        _ => false,
    });
    assert_eq!(destructive.count(), 0);
    let known =
        |name: &str| replayed.state.local(liqo_model::Kind::ForeignCluster).any(|(key, _)| key.name == name);
    assert!(known("early") && known("again") && !known("late"));
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// Does something to etcd's files while nothing uses them.
async fn with_etcd_stopped(testbed: &Testbed, cluster: &Cluster, command: &str) {
    let node = format!("{}-control-plane", cluster.name);
    for component in ["kube-apiserver", "etcd"] {
        testbed.component(&node, Verb::Stop, component).await.unwrap();
    }
    let done = testbed.exec(&node, &["sh", "-c", command]).await.unwrap();
    assert!(done.success, "{command}");
    for component in ["etcd", "kube-apiserver"] {
        testbed.component(&node, Verb::Start, component).await.unwrap();
    }
    answers(cluster);
}

/// Waits until the API server answers again.
fn answers(cluster: &Cluster) {
    for _ in 0..60 {
        if cluster.try_kubectl(&["get", "--raw", "/readyz", "--request-timeout=1s"]).status.success() {
            return;
        }
    }
    panic!("the API server does not come back");
}

/// A watch from this version is refused.
fn too_old(cluster: &Cluster, version: &str) {
    let path = format!(
        "/apis/discovery.liqo.io/v1alpha1/foreignclusters?watch=1&timeoutSeconds=1&resourceVersion={version}"
    );
    let answer = cluster.try_kubectl(&["get", "--raw", &path]);
    let (said, refused) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
    assert!(said.contains("\"code\":410") || refused.contains("too old"), "{said} {refused}");
}

/// Objects as large as an API server takes. What is decided from them is small but for one of them, which is said; nothing
/// else stops for any, and none of them stays in memory.
#[tokio::test]
async fn api_the_largest_objects_stop_nothing_else_and_do_not_stay_in_memory() {
    let Some(testbed) = testbed("api_the_largest_objects_stop_nothing_else_and_do_not_stay_in_memory") else {
        return;
    };
    let cluster = Cluster::up(&testbed, "large").await;
    cluster.apply(&virtual_node("milan"));
    let mut controller = Controller::start(&cluster, "large");
    controller.leads(&cluster);
    handled(&cluster, "small");
    let before = controller.peak_memory();
    let larger = large_shadow_pod(NAMESPACE, LARGEST_TEXT + 20_000);
    assert!(!cluster.create(&larger).status.success(), "there are larger objects than these");
    for object in [
        large_shadow_pod(NAMESPACE, LARGEST_TEXT),
        large_pod(NAMESPACE, LARGEST_TEXT),
        large_map("maps", 20_000),
        annotated_foreign_cluster("annotated"),
    ] {
        fixture::succeeded(cluster.create(&object), "a large object");
    }
    for round in ["1", "2", "3"] {
        let label = format!("round={round}");
        cluster.kubectl(&["label", "shadowpod,pod", "large", "-n", NAMESPACE, &label, "--overwrite"]);
        cluster.kubectl(&["label", "namespacemap", "large", "-n", "maps", &label, "--overwrite"]);
    }
    goes_on(&cluster, "watched");
    let said = controller.debug(&["why", "NamespaceMap/maps/large"]);
    assert!(said.contains("bytes, more than a record may have"), "{said}");
    assert!(controller.metric("liqo_kube_malformed_total") >= Some(1.0));
    assert_eq!(controller.metric("liqo_engine_live"), Some(1.0));

    // And the same in lists.
    let watched = controller.peak_memory();
    controller.kill();
    std::fs::remove_dir_all(&controller.log).unwrap();
    controller.restart();
    controller.leads(&cluster);
    goes_on(&cluster, "listed");
    let listed = controller.peak_memory();
    assert!(watched.max(listed) < before + MOST_GROWTH, "{before}, {watched}, {listed}");
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

/// What five of the largest objects may take for a moment, in KiB: each is there as text and as a tree.
const MOST_GROWTH: u64 = 32 << 10;

/// Others are dealt with, one that is itself large included.
fn goes_on(cluster: &Cluster, name: &str) {
    handled(cluster, name);
    cluster.kubectl(&[
        "wait",
        "foreigncluster/annotated",
        "--for=jsonpath={.status.tenantNamespace.local}",
        "--timeout=60s",
    ]);
    cluster.apply(&format!("{}---{}", namespace(name), offloading(name, "LocalAndRemote")));
    cluster.wait_for("namespaceoffloading/offloading", name, ".status.offloadingPhase", "InProgress");
}

/// Values that must never be seen are planted everywhere, and looked for in everything that the controller leaves.
#[tokio::test]
async fn api_no_secret_and_no_body_is_in_a_log_or_an_output() {
    let Some(testbed) = testbed("api_no_secret_and_no_body_is_in_a_log_or_an_output") else { return };
    let cluster = Cluster::up(&testbed, "canary").await;
    let mut controller = Controller::start(&cluster, "canary");
    controller.leads(&cluster);
    plant(&cluster);
    handled(&cluster, "milan");
    cluster.kubectl(&["annotate", "foreigncluster", "milan", "note=canary-in-an-annotation"]);
    handled(&cluster, "last");
    let export = cluster.directory.path().join("export");
    controller.debug(&["export", &export.display().to_string()]);
    let outputs =
        [controller.debug(&["tail"]), controller.debug(&["tail", "-o", "json"]), controller.printed()];
    controller.kill();

    let mut canaries: Vec<Vec<u8>> = vec![b"canary-".to_vec(), cluster.token("canary").into_bytes()];
    for (secret, key) in [("liqo-log-key", "key"), ("liqo-fabric-ca", "ca\\.key")] {
        let path = format!("jsonpath={{.data.{key}}}");
        let encoded = cluster.kubectl(&["get", "secret", secret, "-n", NAMESPACE, "-o", &path]);
        assert!(encoded.len() > 16, "{secret} has no {key}");
        canaries.push(encoded.clone().into_bytes());
        let decode = ["-c", "printf %s \"$0\" | base64 -d", &encoded];
        canaries.push(Command::new("sh").args(decode).output().unwrap().stdout);
    }
    let mut places: Vec<(String, Vec<u8>)> =
        outputs.into_iter().map(|output| ("an output".to_owned(), output.into_bytes())).collect();
    places.extend(
        walk(&controller.log)
            .into_iter()
            .chain([export])
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())),
    );
    for (place, bytes) in &places {
        for canary in &canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_slice());
            assert!(!found, "{place} shows {}", String::from_utf8_lossy(canary));
        }
    }
    assert!(
        places.iter().any(|(_, bytes)| bytes.windows(5).any(|window| window == b"milan")),
        "nothing was looked at"
    );
    testbed.down(std::slice::from_ref(&cluster.name)).await.unwrap();
}

fn plant(cluster: &Cluster) {
    cluster.apply(
        "
apiVersion: v1
kind: Secret
metadata: {name: canary, namespace: liqo}
stringData: {password: canary-in-a-secret}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: canary, namespace: liqo}
data: {password: canary-in-a-config-map}
---
apiVersion: v1
kind: Namespace
metadata: {name: planted, annotations: {password: canary-in-a-namespace}}
---
apiVersion: discovery.liqo.io/v1alpha1
kind: ForeignCluster
metadata: {name: planted, annotations: {password: canary-in-a-peer}, labels: {note: canary-in-a-label}}
spec: {foreignAuthUrl: https://planted.example.com}
",
    );
}
