//! Writes that nobody can take back, against a server that answers what the test says.

use std::time::Duration;

use liqo_engine::{Disposition, Outcome};
use liqo_events::{Effect, Seq};
use liqo_model::{Kind, ObjectKey};
use serde_json::json;
use tokio::sync::mpsc;

use super::tests::{Scene, body, lease, no, offloading, ok, scene, scene_with, succeeded};
use crate::fake_server::Reply;
use crate::watch::Testimony;

const LEASE: &str = "GET /apis/coordination.k8s.io/v1/namespaces/liqo/leases/lease";

fn pod() -> ObjectKey {
    ObjectKey::local(Kind::Pod, "shop", "web")
}

fn delete() -> Effect {
    Effect::Delete { uid: "u".into(), grace: Some(0), cause: Seq(1) }
}

fn deleted() -> Reply {
    ok(json!({"kind": "Status"}))
}

fn map() -> ObjectKey {
    ObjectKey::local(Kind::NamespaceMap, "tenant", "milan")
}

fn unmap() -> Effect {
    Effect::MapNamespace { uid: "u".into(), namespace: "shop".into(), remote: None, cause: Seq(3) }
}

fn mapped() -> Reply {
    let metadata = json!({"name": "milan", "namespace": "tenant", "uid": "u", "resourceVersion": "7"});
    ok(json!({"metadata": metadata, "spec": {"desiredMapping": {"shop": "shop-rome"}}}))
}

fn held() -> Reply {
    ok(body("u", "7", json!(["ours"])))
}

/// Nothing was written, and the command is tried again.
fn refused(scene: &Scene, outcome: &Outcome) -> String {
    let Outcome::Failed { disposition: Disposition::Retry { .. }, error } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(scene.methods().iter().all(|method| method == "GET"), "{:?}", scene.fake.lines());
    error.clone()
}

#[tokio::test]
async fn the_cluster_is_looked_at_right_before_something_is_taken_away() {
    let deletion = scene(vec![lease(7, "50"), deleted()]).await;
    assert_eq!(deletion.act(pod(), delete()).await, succeeded(""));
    assert_eq!(deletion.fake.lines()[0], LEASE);
    let sent = &deletion.fake.bodies()[0];
    assert_eq!((&sent["gracePeriodSeconds"], &sent["preconditions"]["uid"]), (&json!(0), &json!("u")));

    // The Lease was renewed meanwhile.
    let mapping = scene(vec![mapped(), lease(7, "55"), mapped()]).await;
    assert_eq!(mapping.act(map(), unmap()).await, succeeded("7"));
    assert_eq!(mapping.fake.lines()[1], LEASE);
    assert_eq!(mapping.methods(), ["GET", "GET", "PATCH"]);

    let release = scene(vec![held(), lease(7, "50"), ok(body("u", "8", json!([])))]).await;
    assert_eq!(release.set_finalizer(false).await, succeeded("8"));
    assert_eq!(release.fake.lines()[1], LEASE);
}

#[tokio::test]
async fn nothing_is_asked_before_other_writes_or_when_nothing_is_to_be_written() {
    let other = scene(vec![ok(body("u", "7", json!([]))), ok(body("u", "8", json!(["ours"])))]).await;
    assert_eq!(other.set_finalizer(true).await, succeeded("8"));
    let nothing = scene(vec![ok(body("u", "7", json!([])))]).await;
    assert_eq!(nothing.set_finalizer(false).await, succeeded("7"));
    for scene in [other, nothing] {
        assert!(!scene.fake.lines().iter().any(|line| line == LEASE));
    }
}

#[tokio::test]
async fn nothing_is_taken_from_a_cluster_that_was_restored() {
    // Its Lease is older than it was, by its version or by its epoch.
    for restored in [(7, "20"), (6, "60")] {
        let restored = || lease(restored.0, restored.1);
        let deletion = scene(vec![restored()]).await;
        let mapping = scene(vec![mapped(), restored()]).await;
        let release = scene(vec![held(), restored()]).await;
        let outcomes = [
            (deletion.act(pod(), delete()).await, deletion),
            (mapping.act(map(), unmap()).await, mapping),
            (release.set_finalizer(false).await, release),
        ];
        for (outcome, scene) in outcomes {
            let error = refused(&scene, &outcome);
            assert!(error.contains(" is left as it is: "), "{error}");
            assert_eq!(scene.life.generation(), Some(2));
        }
    }
}

#[tokio::test]
async fn what_is_still_wanted_in_the_new_generation_is_done() {
    let scene = scene(vec![lease(7, "20"), deleted()]).await;
    refused(&scene, &scene.act(pod(), delete()).await);
    assert_eq!(scene.act(pod(), delete()).await, succeeded(""));
    // The answer that told of the change is as good as another for what sets out after it.
    assert_eq!(scene.methods(), ["GET", "DELETE"]);
}

#[tokio::test]
async fn a_change_that_a_watch_notices_while_the_object_is_read_counts() {
    let (answer, reply) = mpsc::channel(1);
    let scene = scene(vec![Reply::Stream(reply), lease(7, "20")]).await;
    let change = async {
        let asked = scene.life.ask().await;
        let (sink, _inputs) = mpsc::channel(1);
        let restored = Testimony { epoch: 7, version: "20".into() };
        scene.life.heard(&asked, restored, &sink).await.unwrap();
        let read = body("u", "7", json!(["ours"])).to_string();
        answer.send(read).await.unwrap();
        drop(answer);
    };
    let (outcome, ()) = tokio::join!(scene.set_finalizer(false), change);
    let error = refused(&scene, &outcome);
    assert!(error.ends_with("the cluster is not the one that this was decided for"), "{error}");
}

#[tokio::test]
async fn a_lease_that_somebody_took_stops_what_is_under_way() {
    let scene = scene(vec![lease(8, "60")]).await;
    let error = refused(&scene, &scene.act(pod(), delete()).await);
    assert!(error.ends_with("the Lease of this process is not what it was"), "{error}");
    assert_eq!(scene.life.generation(), Some(1));
}

#[tokio::test]
async fn a_look_that_fails_lets_nothing_go() {
    for code in [403, 404, 401, 500, 503] {
        let scene = scene(vec![no(code)]).await;
        let error = refused(&scene, &scene.act(pod(), delete()).await);
        assert!(error.starts_with("Pod/shop/web is left as it is: "), "{code}: {error}");
    }
    let busy = scene(vec![Reply::Text(429, Some("2"), "busy")]).await;
    let after = Disposition::Retry { after: Some(Duration::from_secs(2)) };
    let outcome = busy.act(pod(), delete()).await;
    assert!(matches!(&outcome, Outcome::Failed { disposition, .. } if *disposition == after), "{outcome:?}");
}

#[tokio::test]
async fn nothing_is_taken_away_before_the_cluster_was_seen() {
    let scene = scene_with(vec![held()], 0, Duration::MAX).await;
    refused(&scene, &scene.act(pod(), delete()).await);
    refused(&scene, &scene.set_finalizer(false).await);
    assert_eq!(scene.fake.lines().len(), 1);
    assert!(!scene.fake.lines()[0].contains("leases"), "{:?}", scene.fake.lines());
}

#[tokio::test]
async fn an_answer_stands_for_a_burst_and_not_for_ever() {
    let burst = scene(vec![lease(7, "50"), deleted(), deleted(), deleted()]).await;
    for _ in 0..3 {
        assert_eq!(burst.act(pod(), delete()).await, succeeded(""));
    }
    assert_eq!(burst.methods(), ["GET", "DELETE", "DELETE", "DELETE"]);
    let replies = vec![lease(7, "50"), deleted(), lease(7, "51"), deleted()];
    let later = scene_with(replies, 1, Duration::ZERO).await;
    for _ in 0..2 {
        assert_eq!(later.act(offloading(), delete()).await, succeeded(""));
    }
    assert_eq!(later.methods(), ["GET", "DELETE", "GET", "DELETE"]);
}
