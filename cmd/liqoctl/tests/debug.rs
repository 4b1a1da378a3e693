//! `liqoctl debug` on an engine that runs, over its socket, and on what was exported from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;

use liqo_domain::{Input, LiqoMachine, Outcome};
use liqo_engine::{Actuator, Authority, Engine, LogVolume, Metrics, Options, Running, SystemClock};
use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, Event, Facts, GenerationChanged, LeaseGained,
    NamespaceFacts, NamespaceMapFacts, RelistCompleted, Started, UnixMillis, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use liqo_projection_api::debug::{DebugService, DebugSocket, serve};
use liqo_projection_api::{EngineSource, Metrics as ApiMetrics};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::sync::watch;

/// Everything works at once.
struct Willing;

impl Actuator for Willing {
    async fn act(&self, _: &Command, _: u32) -> Outcome {
        Outcome::Succeeded { resource_version: "7".into() }
    }
}

struct Always;

impl Authority for Always {
    fn may_act(&self) -> bool {
        true
    }
}

/// An engine with its debug service.
struct Process {
    engine: Running<LiqoMachine>,
    directory: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

impl Process {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let volume = LogVolume::new(
            directory.path().join("log"),
            liqo_log::Options::CONTROLLER,
            Arc::new(SystemClock),
        );
        let started = Started {
            instance: "pod-1".into(),
            version: "0.1.0".into(),
            namespace: "liqo".into(),
            cluster_name: "rome".into(),
            entropy: [1; 16],
        };
        let engine = Engine::<LiqoMachine>::start(Options {
            log: Box::new(volume),
            started,
            actuator: Willing,
            authority: Arc::new(Always),
            clock: Arc::new(SystemClock),
            metrics: Metrics::register(&mut Registry::default()),
        })
        .await
        .unwrap();
        let (stop, stopping) = watch::channel(false);
        let socket = DebugSocket::bind(&directory.path().join("debug.sock")).await.unwrap();
        let leader = watch::Sender::new("pod-2".into());
        let source = EngineSource::new(engine.handle.clone()).led_by(leader.subscribe());
        let service = DebugService::new(Arc::new(source), stopping);
        tokio::spawn(serve(socket, service, ApiMetrics::default()));
        Self { engine, directory, _stop: stop }
    }

    async fn observe(&self, events: Vec<Event>) {
        self.engine.handle.inbox().send_durably(Input::Observe(events)).await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What `liqoctl debug` says on the socket, and whether it succeeded.
    async fn debug(&self, line: &str) -> (bool, String) {
        self.liqoctl(&format!("debug {line}")).await
    }

    async fn liqoctl(&self, line: &str) -> (bool, String) {
        liqoctl(&format!("{line} --socket {}", self.path("debug.sock").display())).await
    }
}

async fn liqoctl(line: &str) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_liqoctl"));
    let output = command.args(line.split_whitespace()).output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn namespace(name: &str) -> Event {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, name);
    applied(key, Facts::Namespace(NamespaceFacts::default()))
}

fn applied(object: ObjectKey, facts: Facts) -> Event {
    Event::Applied(Applied {
        object,
        uid: "u".into(),
        resource_version: "41".into(),
        generation: 0,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts,
        coalesced: 0,
    })
}

/// A process that has seen its cluster, holds the lease, and has seen a namespace: events 2, 3 and 4.
async fn with_a_history() -> Process {
    let process = Process::start().await;
    let reason = "seen for the first time".to_owned();
    let seen = GenerationChanged { cluster: ClusterRef::Local, uid: "k".into(), generation: 1, reason };
    process
        .observe(vec![seen.into(), LeaseGained { epoch: 7, continued: false }.into(), namespace("shop")])
        .await;
    process
}

fn names(lines: &str) -> Vec<String> {
    let name = |line: &str| serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
    lines.lines().map(name).collect()
}

#[tokio::test]
async fn a_live_process_and_its_export_tell_the_same() {
    // given a process with a history, and the file that it was exported to
    let process = with_a_history().await;
    let file = process.path("log.events");
    let (done, told) = process.debug(&format!("export {}", file.display())).await;
    assert_eq!((done, told), (true, format!("{} has 4 events, 1 to 4\n", file.display())));
    // when both are asked the same, then they answer the same
    for question in [
        "tail --from 1",
        "tail --last 2 -o json",
        "tail --from 1 --kind leasegained -o json",
        "tail --from 1 --object namespace/shop",
        "get 4",
        "get 3 -o json",
        "why Namespace/shop",
        "why 2 -o json",
    ] {
        let live = process.debug(question).await;
        assert!(live.0, "{question}: {}", live.1);
        assert_eq!(live, liqoctl(&format!("debug {question} --file {}", file.display())).await, "{question}");
    }
    // and what they answer is what happened
    let (_, all) = process.debug("tail --from 1 -o json").await;
    assert_eq!(names(&all), ["Started", "GenerationChanged", "LeaseGained", "Applied"]);
    let (_, some) = process.debug("tail --from 1 --object namespace/shop -o json").await;
    assert_eq!(names(&some), ["Applied"]);
    let (_, why) = process.debug("why Namespace/shop").await;
    assert!(
        why.ends_with(" > Applied: Namespace/shop seen at version 41: scheduling to peers off\n"),
        "{why}"
    );
}

#[tokio::test]
async fn new_events_are_followed() {
    use tokio::io::AsyncBufReadExt;
    let process = with_a_history().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_liqoctl"));
    command
        .args(["debug", "tail", "--follow", "--from", "4", "-o", "json", "--socket"])
        .arg(process.path("debug.sock"));
    let mut tail = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = tokio::io::BufReader::new(tail.stdout.take().unwrap()).lines();
    for (seq, name) in [(4, "shop"), (5, "bank"), (6, "post")] {
        let line = lines.next_line().await.unwrap().unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&event["seq"], &event["object"]["name"]), (&seq.into(), &name.into()));
        let next = if seq == 4 { "bank" } else { "post" };
        process.observe(vec![namespace(next)]).await;
    }
}

#[tokio::test]
async fn the_state_of_a_process_is_told() {
    let process = with_a_history().await;
    let (done, told) = process.debug("state -o json").await;
    assert!(done, "{told}");
    let state: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(state["seq"], 4);
    assert_eq!(
        (&state["leader"], &state["live"], &state["degraded"]),
        (&true.into(), &false.into(), &false.into())
    );
    assert_eq!(state["counts"]["objects"], 1);
    let log = &state["log"];
    assert_eq!((&log["last"], &log["onVolume"], &log["quarantined"]), (&4.into(), &4.into(), &0.into()));
    assert!(log["diskBytes"].as_u64() > Some(0) && log["generation"].as_u64() > Some(0), "{log}");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_one_line() {
    let process = with_a_history().await;
    let file = process.path("notes.txt");
    std::fs::write(&file, "nothing of ours").unwrap();
    let missing = process.path("none.sock");
    let cases = [
        (process.debug("get 99").await, "event 99 is not written yet: the last one is 4".to_owned()),
        (
            process.debug("tail --kind Deleted").await,
            "there is no kind of event \"Deleted\"; kinds are Started, ".to_owned(),
        ),
        (process.debug("why Namespace/paris").await, "none of the events 1 to 4 is about it".to_owned()),
        (
            liqoctl(&format!("debug tail --file {}", file.display())).await,
            format!("cannot read {}: this is no file of exported events", file.display()),
        ),
        (
            liqoctl(&format!("debug state --socket {}", missing.display())).await,
            format!("cannot connect to {}: check that the process runs", missing.display()),
        ),
        (
            process.debug(&format!("export {}", file.display())).await,
            format!("cannot write {}: the file of exported events cannot be written", file.display()),
        ),
    ];
    for ((done, told), beginning) in cases {
        assert!(
            !done && told.starts_with(&format!("liqoctl: {beginning}")),
            "{told:?} should begin with {beginning:?}"
        );
        assert_eq!(told.lines().count(), 1, "{told:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nothing of ours");
}

/// What a leader sees of a cluster that was restored: a map of milan with namespaces that nobody offloads any more.
fn restored(namespaces: &[&str]) -> Vec<Event> {
    let reason = "restored".to_owned();
    let identity = ClusterIdentityFacts { id: "rome-id".into(), name: "rome".into() };
    let map = NamespaceMapFacts {
        remote_cluster: "milan-id".into(),
        origin: true,
        desired: namespaces.iter().map(|name| ((*name).into(), "remote".into())).collect(),
        ..NamespaceMapFacts::default()
    };
    let listed = |kind, selector: &str| {
        Event::RelistCompleted(RelistCompleted {
            watch: WatchKey { cluster: ClusterRef::Local, kind, selector: selector.to_owned() },
            resource_version: "50".into(),
            generation: 2,
            objects: 0,
            differences: 0,
        })
    };
    vec![
        GenerationChanged { cluster: ClusterRef::Local, uid: "k".into(), generation: 2, reason }.into(),
        applied(
            ObjectKey::local(Kind::ConfigMap, "liqo", "liqo-clusterid-configmap"),
            Facts::ClusterIdentity(identity),
        ),
        applied(ObjectKey::local(Kind::NamespaceMap, "tenant", "milan"), Facts::NamespaceMap(map)),
        listed(Kind::ConfigMap, ""),
        listed(Kind::Namespace, ""),
        listed(Kind::Node, ""),
        listed(Kind::ForeignCluster, ""),
        listed(Kind::NamespaceMap, ""),
        listed(Kind::NamespaceOffloading, ""),
    ]
}

#[tokio::test]
async fn what_is_held_of_a_peer_is_let_go_of_by_the_leader_alone() {
    // given what is held after the cluster was restored, and a process that does not lead
    let process = Process::start().await;
    process.observe(restored(&["shop", "bank"])).await;
    let refused = process.liqoctl("release milan").await;
    let said = "liqoctl: this process does not lead, so it decides nothing: ask the pod with uid pod-2, which leads (--pod)\n";
    assert_eq!(refused, (false, said.to_owned()));
    // when it leads, and an administrator lets go
    process.observe(vec![LeaseGained { epoch: 7, continued: false }.into()]).await;
    process.engine.handle.inbox().send_durably(Input::GoLive { epoch: 7 }).await.unwrap();
    let (done, unknown) = process.liqoctl("release paris").await;
    assert!(!done && unknown.starts_with("liqoctl: no peer is called \"paris\""), "{unknown}");
    let released = process.liqoctl("release milan").await;
    assert_eq!(released, (true, "2 mappings of peer milan-id were held and are let go of\n".to_owned()));
    // then that is in the log, and the mappings go because of it
    let (_, events) = process.debug("tail --from 1 --kind orphanreleased --kind commandissued -o json").await;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let released: Vec<&Value> =
        events.iter().filter(|event| event["name"] == "OrphanReleased").map(|event| &event["seq"]).collect();
    assert_eq!(released.len(), 2);
    let unmapped = events.iter().filter(|event| {
        event["summary"].as_str().unwrap().contains("take the mapping")
            && released.contains(&&event["causedBy"])
    });
    assert_eq!(unmapped.count(), 2, "{events:#?}");
    let again = process.liqoctl("release milan-id -o json").await;
    assert_eq!(again, (true, "{\"cluster\":\"milan-id\",\"mappings\":0}\n".to_owned()));
}
