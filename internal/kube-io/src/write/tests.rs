//! Commands carried out against a server that answers what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liqo_engine::{Actuator, Disposition, Outcome};
use liqo_events::{Command, CommandId, Effect, Seq, Slot, WatchKey};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use serde_json::{Value, json};

use super::{LastLook, Writer};
use crate::fake_server::{FakeServer, Reply};
use crate::object::Tree;
use crate::watch::{ClusterLife, Testimony, Watches};
use crate::{ApiServers, BodyCache, Limits, RawObject};

pub(super) struct Scene {
    pub(super) fake: FakeServer,
    pub(super) writer: Writer,
    pub(super) life: Arc<ClusterLife>,
    cache: Arc<BodyCache>,
}

pub(super) async fn scene(replies: Vec<Reply>) -> Scene {
    scene_with(replies, 1, Duration::MAX).await
}

/// A cluster in a generation, where the answer to a last look stands for a while.
pub(super) async fn scene_with(replies: Vec<Reply>, generation: u64, fresh: Duration) -> Scene {
    let replies: Mutex<VecDeque<Reply>> = Mutex::new(replies.into());
    let fake = FakeServer::start(Limits::default(), move |_| {
        replies.lock().unwrap().pop_front().unwrap_or(Reply::Text(500, None, "nothing is left to answer"))
    })
    .await;
    let servers = ApiServers::default();
    servers.insert(Arc::clone(&fake.server));
    let cache = Arc::new(BodyCache::new(1 << 20, Arc::clone(&fake.metrics)));
    let life = ClusterLife::new(ClusterRef::Local, "c".into(), generation).witnessed_by("liqo", "lease", 7);
    life.remember(&Testimony { epoch: 7, version: "50".into() });
    let life = Arc::new(life);
    let last_look = LastLook::default();
    // Whatever is announced is taken, and forgotten.
    let (sink, mut inputs) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move { while inputs.recv().await.is_some() {} });
    last_look.at_most_every(fresh, Arc::clone(&fake.server), Arc::clone(&life), sink);
    let writer = Writer::new(servers, Watches::default(), Arc::clone(&cache), Arc::clone(&fake.metrics));
    Scene { fake, writer: writer.looking(last_look), life, cache }
}

/// The Lease of the process.
pub(super) fn lease(epoch: u64, version: &str) -> Reply {
    let annotations = json!({"liqo.io/epoch": epoch.to_string()});
    ok(json!({"metadata": {
        "name": "lease", "namespace": "liqo", "uid": "l", "resourceVersion": version, "annotations": annotations,
    }}))
}

pub(super) fn offloading() -> ObjectKey {
    ObjectKey::local(Kind::NamespaceOffloading, "shop", "offloading")
}

pub(super) fn body(uid: &str, version: &str, finalizers: Value) -> Value {
    json!({"metadata": {
        "name": "offloading", "namespace": "shop", "uid": uid, "resourceVersion": version, "finalizers": finalizers,
    }})
}

pub(super) fn ok(body: Value) -> Reply {
    Reply::Json(200, body)
}

pub(super) fn no(code: u16) -> Reply {
    Reply::Json(code, json!({"kind": "Status", "code": code, "message": "no"}))
}

impl Scene {
    fn cached(&self, uid: &str, version: &str, finalizers: Value) {
        let tree = Tree { body: body(uid, version, finalizers), too_deep: false };
        self.cache.put(&offloading(), &RawObject::from_tree(tree).unwrap());
    }

    pub(super) async fn set_finalizer(&self, present: bool) -> Outcome {
        let effect = Effect::SetFinalizer { uid: "u".into(), finalizer: "ours".to_owned(), present };
        self.act(offloading(), effect).await
    }

    pub(super) async fn act(&self, object: ObjectKey, effect: Effect) -> Outcome {
        let slot = Slot { object, part: "part".to_owned() };
        self.writer.act(&Command { id: CommandId::default(), slot, effect }, 1).await
    }

    /// Methods of what was asked.
    pub(super) fn methods(&self) -> Vec<String> {
        self.fake.lines().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }
}

pub(super) fn succeeded(version: &str) -> Outcome {
    Outcome::Succeeded { resource_version: version.into() }
}

#[tokio::test]
async fn an_object_is_read_and_written_for_the_version_that_was_read() {
    let scene = scene(vec![ok(body("u", "7", json!(["a"]))), ok(body("u", "8", json!(["a", "ours"])))]).await;
    assert_eq!(scene.set_finalizer(true).await, succeeded("8"));
    let path = "/apis/offloading.liqo.io/v1alpha1/namespaces/shop/namespaceoffloadings/offloading";
    let expected = [format!("GET {path}"), format!("PATCH {path}?&fieldManager=liqo-controller-manager")];
    assert_eq!(scene.fake.lines(), expected);
    assert_eq!(
        scene.fake.bodies(),
        [json!({"metadata": {"resourceVersion": "7", "finalizers": ["a", "ours"]}})]
    );
}

#[tokio::test]
async fn a_body_of_a_recent_event_saves_the_reading() {
    let replies = vec![ok(body("u", "8", json!(["ours"]))), lease(7, "50"), ok(body("u", "9", json!([])))];
    let scene = scene(replies).await;
    scene.cached("u", "7", json!([]));
    assert_eq!(scene.set_finalizer(true).await, succeeded("8"));
    assert_eq!(scene.methods(), ["PATCH"]);
    // And the next command finds what this one wrote; what it reads is the Lease.
    assert_eq!(scene.set_finalizer(false).await, succeeded("9"));
    assert_eq!(scene.methods(), ["PATCH", "GET", "PATCH"]);
    assert_eq!(scene.fake.bodies()[1], json!({"metadata": {"resourceVersion": "8", "finalizers": []}}));
}

/// A watch that goes on from an old place shows earlier lives again.
#[tokio::test]
async fn that_nothing_is_to_be_done_is_never_believed_of_a_recent_event() {
    let scene = scene(vec![ok(body("u2", "9", json!([]))), ok(body("u2", "10", json!(["ours"])))]).await;
    scene.cached("u", "7", json!(["ours"]));
    let _ = scene.set_finalizer(true).await;
    assert_eq!(scene.methods()[0], "GET");
}

#[tokio::test]
async fn what_is_so_already_is_not_written() {
    let scene = scene(vec![ok(body("u", "7", json!(["ours"])))]).await;
    assert_eq!(scene.set_finalizer(true).await, succeeded("7"));
    assert_eq!(scene.methods(), ["GET"]);
}

#[tokio::test]
async fn a_lost_race_is_run_again_with_what_is_there_now() {
    let replies = vec![no(409), ok(body("u", "9", json!(["b"]))), ok(body("u", "10", json!(["b", "ours"])))];
    let scene = scene(replies).await;
    scene.cached("u", "7", json!(["a"]));
    assert_eq!(scene.set_finalizer(true).await, succeeded("10"));
    assert_eq!(scene.methods(), ["PATCH", "GET", "PATCH"]);
    assert_eq!(
        scene.fake.bodies().pop().unwrap(),
        json!({"metadata": {"resourceVersion": "9", "finalizers": ["b", "ours"]}})
    );
}

#[tokio::test]
async fn races_without_end_are_left_to_the_engine() {
    let mut replies = Vec::new();
    for version in ["7", "8", "9"] {
        replies.extend([ok(body("u", version, json!([]))), no(409)]);
    }
    let scene = scene(replies).await;
    let outcome = scene.set_finalizer(true).await;
    assert!(
        matches!(outcome, Outcome::Failed { disposition: Disposition::Retry { after: None }, .. }),
        "{outcome:?}"
    );
    assert_eq!(scene.methods().len(), 6);
}

#[tokio::test]
async fn another_life_of_the_name_is_not_touched() {
    let gone = scene(vec![no(404)]).await;
    assert!(matches!(gone.set_finalizer(true).await, Outcome::Superseded { .. }));
    let other = scene(vec![ok(body("v", "7", json!([])))]).await;
    assert!(matches!(other.set_finalizer(true).await, Outcome::Superseded { .. }));
    assert_eq!(other.methods(), ["GET"]);
    // Deleted while the patch was on its way.
    let late = scene(vec![no(404), no(404)]).await;
    late.cached("u", "7", json!([]));
    assert!(matches!(late.set_finalizer(true).await, Outcome::Superseded { .. }));
    assert_eq!(late.methods(), ["PATCH", "GET"]);
}

#[tokio::test]
async fn nothing_is_given_up_because_of_an_old_body() {
    let scene = scene(vec![ok(body("u", "9", json!([]))), ok(body("u", "10", json!(["ours"])))]).await;
    scene.cached("before", "3", json!([]));
    assert_eq!(scene.set_finalizer(true).await, succeeded("10"));
    assert_eq!(scene.methods(), ["GET", "PATCH"]);
}

#[tokio::test]
async fn refusals_are_judged() {
    for (code, parks) in [(403, true), (422, true), (400, true), (500, false), (401, false), (503, false)] {
        let scene = scene(vec![ok(body("u", "7", json!([]))), no(code)]).await;
        match scene.set_finalizer(true).await {
            Outcome::Failed { disposition, error } => {
                assert_eq!(disposition == Disposition::Park, parks, "{code}");
                assert_eq!(
                    error,
                    format!("NamespaceOffloading/shop/offloading: the API server answered {code}: no")
                );
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_identity_that_somebody_made_meanwhile_is_adopted_or_left_alone() {
    let key = ObjectKey::local(Kind::ConfigMap, "liqo", "liqo-clusterid-configmap");
    let write = || Effect::WriteIdentity { id: "id-1".into(), name: "rome".into() };
    let config_map = |id: &str| {
        json!({
            "metadata": {
                "name": "liqo-clusterid-configmap", "namespace": "liqo", "uid": "u", "resourceVersion": "7",
                "labels": {"app.kubernetes.io/name": "clusterid-configmap"},
            },
            "data": {"CLUSTER_ID": id, "CLUSTER_NAME": "rome"},
        })
    };
    let made = scene(vec![no(404), Reply::Json(201, config_map("id-1"))]).await;
    assert_eq!(made.act(key.clone(), write()).await, succeeded("7"));
    assert_eq!(made.methods(), ["GET", "POST"]);
    let same = scene(vec![no(404), no(409), ok(config_map("id-1"))]).await;
    assert_eq!(same.act(key.clone(), write()).await, succeeded("7"));
    let other = scene(vec![ok(config_map("id-2"))]).await;
    assert!(matches!(other.act(key, write()).await, Outcome::Superseded { .. }));
    assert_eq!(other.methods(), ["GET"]);
}

#[tokio::test]
async fn a_foreign_namespace_is_never_adopted() {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, "liqo-tenant-milan");
    let foreign = json!({"metadata": {"name": "liqo-tenant-milan", "uid": "u", "resourceVersion": "7"}});
    let scene = scene(vec![ok(foreign)]).await;
    let outcome = scene.act(key, Effect::EnsureTenantNamespace { id: "id-2".into() }).await;
    assert!(matches!(outcome, Outcome::Failed { disposition: Disposition::Park, .. }), "{outcome:?}");
    assert_eq!(scene.methods(), ["GET"]);
}

#[tokio::test]
async fn a_status_goes_through_the_status() {
    let map = ObjectKey::local(Kind::NamespaceMap, "tenant", "milan");
    let known = json!({
        "metadata": {"name": "milan", "namespace": "tenant", "uid": "u", "resourceVersion": "7"},
        "spec": {"desiredMapping": {"shop": "shop-rome", "bank": "bank-rome"}, "fromTheFuture": 1},
    });
    let scene = scene(vec![ok(known.clone()), lease(7, "50"), ok(known)]).await;
    let (uid, namespace) = ("u".into(), "shop".into());
    let outcome = scene.act(map, Effect::MapNamespace { uid, namespace, remote: None, cause: Seq(3) }).await;
    assert_eq!(outcome, succeeded("7"));
    let expected = json!({"metadata": {"resourceVersion": "7"}, "spec": {"desiredMapping": {"shop": null}}});
    assert_eq!(scene.fake.bodies(), [expected]);
}

#[tokio::test]
async fn the_status_of_an_offloading_is_a_subresource() {
    let replies = vec![ok(body("u", "7", json!([]))), ok(body("u", "8", json!([])))];
    let scene = scene(replies).await;
    let effect = Effect::WriteOffloadingStatus {
        uid: "u".into(),
        remote_name: "shop-rome".into(),
        phase: "Ready".to_owned(),
        observed_generation: 1,
        conditions: std::collections::BTreeMap::new(),
    };
    assert_eq!(scene.act(offloading(), effect).await, succeeded("8"));
    let lines = scene.fake.lines();
    assert!(lines[1].contains("/namespaceoffloadings/offloading/status?"), "{lines:?}");
    assert_eq!(scene.fake.bodies()[0]["metadata"], json!({"resourceVersion": "7"}));
}

#[tokio::test]
async fn a_deletion_is_of_one_life() {
    let scene = scene(vec![ok(json!({"kind": "Status"})), no(404), no(409), no(500)]).await;
    let delete = || async { scene.writer.delete(&offloading(), &"u".into(), None).await };
    assert_eq!(delete().await, succeeded(""));
    assert_eq!(delete().await, succeeded(""));
    assert!(matches!(delete().await, Outcome::Superseded { .. }));
    assert!(matches!(delete().await, Outcome::Failed { disposition: Disposition::Retry { .. }, .. }));
    assert_eq!(scene.fake.bodies()[0]["preconditions"], json!({"uid": "u"}));
}

#[tokio::test]
async fn a_list_of_a_watch_that_does_not_run_waits() {
    let scene = scene(vec![]).await;
    let watch = WatchKey { cluster: ClusterRef::Local, kind: Kind::Pod, selector: String::new() };
    let outcome = scene.act(offloading(), Effect::Relist { watch }).await;
    assert!(matches!(outcome, Outcome::Failed { disposition: Disposition::Retry { .. }, .. }), "{outcome:?}");
    let mut key = offloading();
    key.cluster = ClusterRef::Remote("id-2".into());
    let effect = Effect::SetFinalizer { uid: "u".into(), finalizer: "ours".to_owned(), present: true };
    let outcome = scene.act(key, effect).await;
    assert!(matches!(outcome, Outcome::Failed { disposition: Disposition::Retry { .. }, .. }), "{outcome:?}");
}
