//! The token that peers need: read or made, then followed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_identity::AuthKey;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::api::{Reply, TestApi};
use crate::enrolment::SharedToken;

fn secret(version: u32, token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "auth-token", "namespace": "liqo", "uid": "u", "resourceVersion": version.to_string()},
        "data": {"token": STANDARD.encode(token)},
    })
}

fn change(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// An API server whose Secret is this at first, and whose watch shows what the test sends.
async fn cluster(first: Option<Value>) -> (TestApi, mpsc::Sender<String>) {
    let (show, shown) = mpsc::channel(8);
    let shown = Mutex::new(Some(shown));
    let data = AuthKey::generate().unwrap_or_else(|error| panic!("{error}")).data();
    let data: BTreeMap<_, _> = data.into_iter().map(|(key, bytes)| (key, STANDARD.encode(bytes))).collect();
    let metadata = json!({"name": "liqo-auth-key", "namespace": "liqo", "uid": "k", "resourceVersion": "1"});
    let key = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data});
    let api = TestApi::start(move |asked| {
        if asked.contains("watch=true") {
            return shown.lock().unwrap().take().map_or(Reply::Silence, Reply::Stream);
        }
        if asked.ends_with("/secrets/liqo-auth-key") {
            return Reply::Json(200, key.clone());
        }
        if asked.starts_with("POST ") {
            return Reply::Json(201, secret(2, "what was sent"));
        }
        match (asked.ends_with("/secrets/auth-token"), &first) {
            (true, Some(secret)) => Reply::Json(200, secret.clone()),
            (true, None) => Reply::Json(404, json!({"kind": "Status", "code": 404, "message": "not found"})),
            (false, first) => {
                let items: Vec<&Value> = first.iter().collect();
                Reply::Json(200, json!({"metadata": {"resourceVersion": "2"}, "items": items}))
            }
        }
    })
    .await;
    (api, show)
}

async fn until(token: &SharedToken, expected: &str) {
    while token.now().expose() != expected {
        yield_now().await;
    }
}

#[tokio::test]
async fn it_is_what_the_secret_says_at_any_time() {
    let (api, show) = cluster(Some(secret(1, "first"))).await;
    let token = SharedToken::follow(&api.server(), "liqo", [7; 64]).await.unwrap();
    assert_eq!(token.now().expose(), "first");
    show.send(change("MODIFIED", &secret(3, "second"))).await.unwrap();
    until(&token, "second").await;
    // Without the Secret nobody is let in, and nobody guesses an empty token: the service refuses that.
    show.send(change("DELETED", &secret(3, "second"))).await.unwrap();
    until(&token, "").await;
    show.send(change("ADDED", &secret(5, "third"))).await.unwrap();
    until(&token, "third").await;
}

#[tokio::test]
async fn it_is_made_when_there_is_none() {
    let (api, _show) = cluster(None).await;
    let token = SharedToken::follow(&api.server(), "liqo", [7; 64]).await.unwrap();
    let made = token.now();
    assert!(made.expose().len() >= 64, "{}", made.expose().len());
    let posted = api.asked().iter().any(|asked| asked.starts_with("POST /api/v1/namespaces/liqo/secrets"));
    assert!(posted, "{:?}", api.asked());
}
