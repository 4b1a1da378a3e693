//! The Lease against an API server of a few lines.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::test_api::{Answer, Asked, TestApi};

const DEADLINE: Duration = Duration::from_secs(20);
const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

fn refusal(code: u16) -> Answer {
    Answer::Json(
        code,
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": "", "message": "no"}),
    )
}

/// Keeps one Lease, as API servers do, and says `false` to a writer who does not know its version.
fn store() -> impl Fn(&Asked) -> Answer + Send + Sync {
    let (kept, version) = (Mutex::new(None::<Value>), AtomicUsize::new(1));
    move |asked: &Asked| {
        let mut kept = kept.lock().unwrap();
        let Some((method, _)) = asked.line.split_once(' ') else { return refusal(400) };
        let known = kept.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        match (method, known) {
            ("GET", Some(_)) => {}
            ("POST", None) => *kept = Some(asked.body.clone()),
            ("PUT", Some(known)) if asked.body["metadata"]["resourceVersion"] == known => {
                *kept = Some(asked.body.clone());
            }
            ("GET" | "PUT", None) => return refusal(404),
            _ => return refusal(409),
        }
        let lease = kept.as_mut().unwrap();
        lease["metadata"]["resourceVersion"] = json!(version.fetch_add(1, Ordering::Relaxed).to_string());
        Answer::Json(200, lease.clone())
    }
}

fn keeper(api: &TestApi) -> Keeper {
    let settings = LeaseSettings {
        node: "liqo-milan".to_owned(),
        node_uid: "u".into(),
        duration: LeaseSettings::DURATION,
    };
    let metrics = Metrics::default();
    Keeper { api: Api::namespaced(api.client.clone(), NAMESPACE), settings, metrics, seen: None }
}

#[tokio::test]
async fn it_is_made_once_and_then_renewed_with_one_write_each() {
    let api = TestApi::start(store()).await;
    let mut keeper = keeper(&api);
    for _ in 0..3 {
        keeper.renew().await.unwrap();
    }
    let one = format!("{PATH}/liqo-milan");
    let put = format!("PUT {one}?");
    assert_eq!(api.lines(), [format!("GET {one}"), format!("POST {PATH}?"), put.clone(), put]);
}

#[tokio::test]
async fn a_lease_that_somebody_else_changed_is_read_again() {
    let api = TestApi::start(store()).await;
    let (mut keeper, mut other) = (keeper(&api), keeper(&api));
    keeper.renew().await.unwrap();
    other.renew().await.unwrap();
    keeper.renew().await.unwrap();
    let lines = api.lines();
    assert_eq!(lines[4..].iter().map(|line| &line[..3]).collect::<Vec<_>>(), ["PUT", "GET", "PUT"]);
}

#[tokio::test]
async fn a_refusal_is_not_repeated_at_once() {
    let api = TestApi::start(|_| refusal(403)).await;
    let refused = keeper(&api).renew().await.unwrap_err();
    assert!(matches!(&refused, Error::RenewLease { node, .. } if node == "liqo-milan"));
    assert_eq!(api.lines().len(), 1);
    let api = TestApi::start(|asked| refusal(if asked.line.starts_with("GET") { 404 } else { 409 })).await;
    assert!(keeper(&api).renew().await.is_err());
    assert_eq!(api.lines().len(), 2 * ATTEMPTS);
}

#[tokio::test]
async fn it_is_renewed_only_while_the_peer_is_well_and_at_once_when_it_is_again() {
    let (told, mut renewed) = watch::channel(0);
    let store = store();
    let api = TestApi::start(move |asked| {
        if !asked.line.starts_with("GET") {
            told.send_modify(|count| *count += 1);
        }
        store(asked)
    })
    .await;
    let (healthy, seen) = watch::channel(false);
    let keeper = keeper(&api);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let settings = LeaseSettings { duration: Duration::from_secs(4), ..keeper.settings };
    let client = api.client.clone();
    let running = tokio::spawn(keep_lease(client, settings, Some(seen), Metrics::default(), async move {
        let _ = stopped.await;
    }));
    assert!(timeout(Duration::from_millis(300), renewed.changed()).await.is_err());
    healthy.send_replace(true);
    timeout(DEADLINE, renewed.wait_for(|count| *count >= 2)).await.unwrap().unwrap();
    healthy.send_replace(false);
    let count = *renewed.borrow_and_update();
    assert!(timeout(Duration::from_millis(1500), renewed.changed()).await.is_err());
    healthy.send_replace(true);
    timeout(DEADLINE, renewed.wait_for(|now| *now > count)).await.unwrap().unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
}
