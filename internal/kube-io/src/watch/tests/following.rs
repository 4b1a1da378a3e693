//! Whole watches against a server that answers what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liqo_domain::Listed;
use liqo_engine::Input;
use liqo_events::{Event, Facts, Proof, WatchKey};
use liqo_model::{ClusterRef, Kind, ObjectKey, Uid};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::fake_server::{FakeServer, Reply};
use crate::watch::{
    ClusterLife, Cursor, NotListed, Target, Trouble, Watch, WatchContext, WatchHandle, WatchState,
};
use crate::{BodyCache, Chance, DigestKey, Limits};

/// Generous: a test that comes near it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Scene {
    fake: FakeServer,
    handle: WatchHandle,
    inputs: mpsc::Receiver<Input>,
    cache: Arc<BodyCache>,
    life: Arc<ClusterLife>,
}

/// What the server answers, in order, after who the cluster is; a stream stays open when its sender is kept.
type Replies = Arc<Mutex<VecDeque<Reply>>>;

async fn watch_with(limits: Limits, cursor: Option<(&str, u64)>, replies: &Replies) -> Scene {
    let replies = Arc::clone(replies);
    let fake = FakeServer::start(limits, move |asked| {
        if asked.line.ends_with("/namespaces/kube-system") {
            return Reply::Json(200, object("kube-system", "cluster-1", "1"));
        }
        replies.lock().unwrap().pop_front().unwrap_or(Reply::Silence)
    })
    .await;
    let (sink, inputs) = mpsc::channel(100);
    let cache = Arc::new(BodyCache::new(1 << 20, Arc::clone(&fake.metrics)));
    let generation = cursor.map_or(0, |(_, generation)| generation);
    let uid = if generation == 0 { "" } else { "cluster-1" };
    let life = Arc::new(ClusterLife::new(ClusterRef::Local, uid.into(), generation));
    let context = WatchContext {
        server: Arc::clone(&fake.server),
        life: Arc::clone(&life),
        sink,
        digest_key: DigestKey::new(&[1; 16]).unwrap(),
        cache: Arc::clone(&cache),
        metrics: Arc::clone(&fake.metrics),
    };
    let target = Target::all(Kind::Namespace);
    let watch = target.key(&ClusterRef::Local);
    let cursor =
        cursor.map(|(version, generation)| Cursor { watch, resource_version: version.into(), generation });
    let (watch, handle) = Watch::new(context, target, cursor, Chance::seeded(5));
    tokio::spawn(watch.run());
    Scene { fake, handle, inputs, cache, life }
}

async fn watch(cursor: Option<(&str, u64)>, replies: Vec<Reply>) -> Scene {
    watch_with(Limits::default(), cursor, &Arc::new(Mutex::new(replies.into()))).await
}

impl Scene {
    async fn next(&mut self) -> Input {
        timeout(PATIENCE, self.inputs.recv()).await.expect("the watch said nothing").expect("the watch ended")
    }

    async fn events(&mut self) -> Vec<String> {
        match self.next().await {
            Input::Observe(events) => events.iter().map(describe).collect(),
            other => panic!("{other:?}"),
        }
    }

    async fn listed(&mut self) -> Listed {
        match self.next().await {
            Input::Listed(listed) => listed,
            other => panic!("{other:?}"),
        }
    }

    async fn becomes(&self, state: WatchState) {
        let mut states = self.handle.state();
        let reached = timeout(PATIENCE, states.wait_for(|now| *now == state)).await;
        reached.expect("the state is not reached").expect("the watch ended");
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Applied(applied) => {
            let note = if matches!(applied.facts, Facts::Malformed(_)) { " malformed" } else { "" };
            format!("{} {}@{}{note}", applied.object.name, applied.uid, applied.resource_version)
        }
        Event::Vanished(gone) => {
            assert_eq!(gone.proof, Proof::Deleted);
            format!("-{} {}@{}", gone.object.name, gone.uid, gone.resource_version)
        }
        Event::CursorMoved(moved) => format!("cursor {}", moved.resource_version),
        Event::GenerationChanged(changed) => format!("generation {} {}", changed.generation, changed.uid),
        other => panic!("{other:?}"),
    }
}

fn object(name: &str, uid: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "uid": uid, "resourceVersion": version, "managedFields": [{}]}})
}

fn list(version: &str, next: Option<&str>, items: &[Value]) -> Reply {
    Reply::Json(200, json!({"metadata": {"resourceVersion": version, "continue": next}, "items": items}))
}

fn line(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn open() -> (mpsc::Sender<String>, Reply) {
    let (sender, receiver) = mpsc::channel(10);
    (sender, Reply::Stream(receiver))
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Namespace, name)
}

fn watch_key() -> WatchKey {
    Target::all(Kind::Namespace).key(&ClusterRef::Local)
}

#[tokio::test]
async fn everything_is_listed_and_then_followed() {
    let (stream, reply) = open();
    let replies = vec![
        list("7", Some("t"), &[object("a", "1", "3")]),
        list("7", None, &[object("b", "2", "4")]),
        reply,
    ];
    let mut scene = watch(None, replies).await;
    assert_eq!(scene.events().await, ["generation 1 cluster-1"]);
    assert_eq!(scene.events().await, ["a 1@3"]);
    assert_eq!(scene.events().await, ["b 2@4"]);
    let expected = Listed {
        watch: watch_key(),
        resource_version: "7".into(),
        generation: 1,
        present: [(key("a"), Uid::from("1")), (key("b"), Uid::from("2"))].into(),
    };
    assert_eq!(scene.listed().await, expected);
    timeout(PATIENCE, scene.handle.synced()).await.unwrap().unwrap();
    let chunk = line("MODIFIED", &object("a", "1", "8")) + &line("DELETED", &object("b", "2", "9"));
    stream.send(chunk).await.unwrap();
    assert_eq!(scene.events().await, ["a 1@8", "-b 2@9"]);
    let lines = scene.fake.lines();
    assert_eq!(lines[0], "GET /api/v1/namespaces/kube-system");
    assert_eq!(lines[1], "GET /api/v1/namespaces?&limit=500");
    assert_eq!(lines[2], "GET /api/v1/namespaces?&limit=500&continue=t");
    assert!(lines[3].contains("watch=true") && lines[3].ends_with("resourceVersion=7"), "{lines:?}");
}

#[tokio::test]
async fn a_cursor_is_resumed_without_a_list() {
    let (stream, reply) = open();
    let mut scene = watch(Some(("7", 1)), vec![list("9", Some("t"), &[object("a", "1", "3")]), reply]).await;
    stream.send(line("ADDED", &object("c", "3", "8"))).await.unwrap();
    assert_eq!(scene.events().await, ["c 3@8"]);
    let lines = scene.fake.lines();
    assert_eq!(lines[1], "GET /api/v1/namespaces?&limit=1");
    assert!(lines[2].ends_with("resourceVersion=7"), "{lines:?}");
}

#[tokio::test]
async fn a_restored_cluster_is_a_new_generation() {
    let (_stream, reply) = open();
    let replies = vec![list("5", None, &[]), list("5", None, &[object("a", "1", "3")]), reply];
    let mut scene = watch(Some(("7", 1)), replies).await;
    assert_eq!(scene.events().await, ["generation 2 cluster-1"]);
    assert_eq!(scene.events().await, ["a 1@3"]);
    assert_eq!(scene.listed().await.generation, 2);
    let (sink, _inputs) = mpsc::channel(1);
    assert_eq!(scene.life.seen(Some("cluster-1".into()), &sink).await, Ok(2));
}

#[tokio::test]
async fn an_expired_cursor_is_listed_anew() {
    let (stream, reply) = open();
    let (_second, follow) = open();
    let replies = vec![list("9", None, &[]), reply, list("9", None, &[object("a", "1", "3")]), follow];
    let mut scene = watch(Some(("7", 1)), replies).await;
    stream.send(line("ERROR", &json!({"kind": "Status", "code": 410}))).await.unwrap();
    assert_eq!(scene.events().await, ["a 1@3"]);
    assert_eq!(scene.listed().await.resource_version, "9".into());
    // The same when the request itself is refused.
    let gone = || Reply::Json(410, json!({"kind": "Status", "code": 410, "message": "too old"}));
    let (_third, follow) = open();
    let replies = vec![list("9", None, &[]), gone(), list("10", None, &[]), follow];
    let mut scene = watch(Some(("7", 1)), replies).await;
    assert_eq!(scene.listed().await.resource_version, "10".into());
}

#[tokio::test]
async fn one_bad_line_does_not_stop_the_watch() {
    let (stream, reply) = open();
    let limits = Limits { answer_bytes: 4096, ..Limits::default() };
    let replies = Arc::new(Mutex::new(vec![list("9", None, &[]), reply].into()));
    let mut scene = watch_with(limits, Some(("7", 1)), &replies).await;
    let long = line("ADDED", &json!({"metadata": {"name": "x".repeat(5000)}}));
    let nameless = line("ADDED", &json!({"spec": {}}));
    let odd = line(
        "MODIFIED",
        &json!({"metadata": {"name": "o", "uid": "4", "resourceVersion": "10", "labels": 3}}),
    );
    let good = line("ADDED", &object("c", "3", "11"));
    stream.send(format!("not json\n{long}{nameless}{odd}{good}")).await.unwrap();
    let mut seen = scene.events().await;
    while seen.len() < 2 {
        seen.extend(scene.events().await);
    }
    assert_eq!(seen, ["o 4@10 malformed", "c 3@11"]);
    assert_eq!(*scene.handle.state().borrow(), WatchState::Watching);
}

#[tokio::test]
async fn a_list_with_something_unreadable_proves_no_absence() {
    let (stream, reply) = open();
    let replies = vec![list("7", None, &[object("a", "1", "3"), json!({"metadata": {}})]), reply];
    let mut scene = watch(None, replies).await;
    assert_eq!(scene.events().await, ["generation 1 cluster-1"]);
    assert_eq!(scene.events().await, ["a 1@3"]);
    // What comes next is from the watch, and not the list.
    stream.send(line("ADDED", &object("c", "3", "8"))).await.unwrap();
    assert_eq!(scene.events().await, ["c 3@8"]);
}

#[tokio::test]
async fn a_list_on_demand_is_answered_when_it_was_handed_over() {
    let (first, reply) = open();
    let (_second, follow) = open();
    let replies = vec![list("7", None, &[]), reply, list("20", None, &[object("a", "1", "3")]), follow];
    let mut scene = watch(Some(("7", 1)), replies).await;
    scene.becomes(WatchState::Watching).await;
    let handle = scene.handle.clone();
    let asked = tokio::spawn(async move { handle.relist().await });
    assert_eq!(scene.events().await, ["a 1@3"]);
    assert_eq!(scene.listed().await.resource_version, "20".into());
    assert_eq!(timeout(PATIENCE, asked).await.unwrap().unwrap(), Ok("20".into()));
    drop(first);
}

#[tokio::test]
async fn nobody_waits_for_a_watch_that_does_not_run() {
    let scene = watch(Some(("7", 1)), vec![]).await;
    let Scene { handle, inputs, fake, .. } = scene;
    drop((inputs, fake));
    let (watch, other) = {
        let (sink, _) = mpsc::channel(1);
        let fake = FakeServer::start(Limits::default(), |_| Reply::Silence).await;
        let context = WatchContext {
            server: Arc::clone(&fake.server),
            life: Arc::new(ClusterLife::new(ClusterRef::Local, Uid::default(), 0)),
            sink,
            digest_key: DigestKey::new(&[1; 16]).unwrap(),
            cache: Arc::new(BodyCache::new(0, Arc::clone(&fake.metrics))),
            metrics: Arc::clone(&fake.metrics),
        };
        Watch::new(context, Target::all(Kind::Pod), None, Chance::seeded(1))
    };
    drop(watch);
    assert_eq!(other.relist().await, Err(NotListed::NoWatch));
    assert_eq!(handle.key(), &watch_key());
}

#[tokio::test]
async fn a_kind_that_is_not_served_is_waited_for() {
    let (_stream, reply) = open();
    let missing = || Reply::Text(404, None, "404 page not found");
    let replies = vec![missing(), missing(), list("7", None, &[]), reply];
    let mut scene = watch(None, replies).await;
    assert_eq!(scene.events().await, ["generation 1 cluster-1"]);
    scene.becomes(WatchState::Waiting(Trouble::Missing)).await;
    assert_eq!(scene.listed().await.resource_version, "7".into());
    scene.becomes(WatchState::Watching).await;
}

#[tokio::test]
async fn a_broken_connection_is_opened_again_at_the_cursor() {
    let (first, reply) = open();
    let (second, again) = open();
    let replies = vec![list("9", None, &[]), reply, list("9", None, &[]), again];
    let mut scene = watch(Some(("7", 1)), replies).await;
    first.send(line("ADDED", &object("c", "3", "8"))).await.unwrap();
    assert_eq!(scene.events().await, ["c 3@8"]);
    drop(first);
    second.send(line("ADDED", &object("d", "4", "10"))).await.unwrap();
    assert_eq!(scene.events().await, ["d 4@10"]);
    let last = scene.fake.lines().pop().unwrap();
    assert!(last.ends_with("resourceVersion=8"), "{last}");
}

/// A half-open connection: nothing comes, and nothing says that nothing will.
#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let (_silent, reply) = open();
    let (second, again) = open();
    let mut scene =
        watch(Some(("7", 1)), vec![list("9", None, &[]), reply, list("9", None, &[]), again]).await;
    scene.becomes(WatchState::Watching).await;
    let opened = Instant::now();
    // Only while nothing is on its way: a stopped clock would let requests run out of time.
    tokio::time::pause();
    let mut states = scene.handle.state();
    states.wait_for(|state| *state == WatchState::Waiting(Trouble::Unreachable)).await.unwrap();
    tokio::time::resume();
    assert!(opened.elapsed() >= Duration::from_secs(150) && opened.elapsed() < Duration::from_secs(200));
    second.send(line("ADDED", &object("d", "4", "10"))).await.unwrap();
    // More than a minute went by, so the cursor is recorded behind what it stands for.
    assert_eq!(scene.events().await, ["d 4@10", "cursor 10"]);
}

#[tokio::test]
async fn bodies_of_events_are_kept_for_writes() {
    let (stream, reply) = open();
    let mut scene = watch(Some(("7", 1)), vec![list("9", None, &[]), reply]).await;
    stream.send(line("ADDED", &object("c", "3", "8"))).await.unwrap();
    scene.events().await;
    let kept = scene.cache.get(&key("c")).unwrap();
    assert_eq!(
        (kept.resource_version, kept.body["metadata"]["managedFields"].clone()),
        ("8".into(), Value::Null)
    );
    stream.send(line("DELETED", &object("c", "3", "9"))).await.unwrap();
    scene.events().await;
    assert_eq!(scene.cache.get(&key("c")), None);
}

#[tokio::test]
async fn many_objects_come_in_batches_that_have_a_bound() {
    let objects: Vec<Value> = (0..600).map(|at| object(&format!("n{at}"), &format!("u{at}"), "3")).collect();
    let (_stream, reply) = open();
    let mut scene = watch(None, vec![list("7", None, &objects), reply]).await;
    assert_eq!(scene.events().await, ["generation 1 cluster-1"]);
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(scene.events().await.len());
    }
    assert_eq!(sizes, [256, 256, 88]);
    assert_eq!(scene.listed().await.present.len(), 600);
}
