//! The client against servers that misbehave.

use std::time::Duration;

use liqo_model::Kind;
use serde_json::json;
use tokio::time::Instant;

use super::{Limits, Place, Refusal, Urgency, Verb};
use crate::fake_server::{FakeServer, Reply};

const NODES: Place<'static> = Place { kind: Kind::Node, namespace: "" };

fn node() -> serde_json::Value {
    json!({"metadata": {"name": "n", "uid": "u", "resourceVersion": "1"}})
}

async fn get(fake: &FakeServer, urgency: Urgency) -> Result<String, Refusal> {
    let object = fake.server.object(Verb::Get, urgency, NODES.get("n")?).await?;
    Ok(object.uid.to_string())
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it_but_leases_go_on() {
    let mut first = true;
    let fake = FakeServer::start(Limits::default(), move |_| {
        if std::mem::take(&mut first) {
            Reply::Text(429, Some("1"), "Too many requests")
        } else {
            Reply::Json(200, node())
        }
    })
    .await;
    let refused = get(&fake, Urgency::Normal).await.unwrap_err();
    assert_eq!((refused.code(), refused.retry_after()), (429, Some(Duration::from_secs(1))));
    let before = Instant::now();
    assert_eq!(get(&fake, Urgency::Lease).await, Ok("u".to_owned()));
    assert!(before.elapsed() < Duration::from_millis(900));
    assert_eq!(get(&fake, Urgency::Normal).await, Ok("u".to_owned()));
    assert!(before.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn a_silent_server_is_given_up_on() {
    let limits = Limits { request_timeout: Duration::from_millis(200), ..Limits::default() };
    let fake = FakeServer::start(limits, |_| Reply::Silence).await;
    let expected = Refusal::Timeout { after: Duration::from_millis(200) };
    assert_eq!(get(&fake, Urgency::Normal).await, Err(expected));
}

#[tokio::test]
async fn one_full_server_delays_no_other() {
    let limits = Limits { in_flight: 1, request_timeout: Duration::from_secs(5), ..Limits::default() };
    let slow = FakeServer::start(limits, |_| Reply::Silence).await;
    let quick = FakeServer::start(limits, |_| Reply::Json(200, node())).await;
    let stuck = (get(&slow, Urgency::Normal), get(&slow, Urgency::Normal));
    let stuck = futures::future::join(stuck.0, stuck.1);
    tokio::select! {
        _ = stuck => panic!("the slow server answered"),
        found = get(&quick, Urgency::Normal) => assert_eq!(found, Ok("u".to_owned())),
    }
}

#[tokio::test]
async fn answers_have_a_bound() {
    let limits = Limits { answer_bytes: 100, ..Limits::default() };
    let fake = FakeServer::start(limits, |_| Reply::Json(200, json!({"x": "y".repeat(200)}))).await;
    assert_eq!(get(&fake, Urgency::Normal).await, Err(Refusal::TooLarge { limit: 100 }));
}

#[tokio::test]
async fn what_is_no_object_is_said() {
    let fake = FakeServer::start(Limits::default(), |_| Reply::Json(200, json!({"kind": "Node"}))).await;
    assert!(matches!(get(&fake, Urgency::Normal).await, Err(Refusal::Unintelligible { .. })));
    let fake = FakeServer::start(Limits::default(), |_| Reply::Text(200, None, "<html>")).await;
    assert!(matches!(get(&fake, Urgency::Normal).await, Err(Refusal::Unintelligible { .. })));
}

#[tokio::test]
async fn nobody_listens() {
    let fake = FakeServer::start(Limits::default(), |_| Reply::Silence).await;
    let mut config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    config.default_namespace = "liqo".to_owned();
    let server = crate::ApiServer::new(
        liqo_model::ClusterRef::Local,
        config,
        Limits::default(),
        std::sync::Arc::clone(&fake.metrics),
    );
    let refusal = server.unwrap().call(Verb::Get, Urgency::Normal, NODES.get("n").unwrap()).await;
    assert!(matches!(refusal, Err(Refusal::Unreachable { .. })), "{refusal:?}");
}
