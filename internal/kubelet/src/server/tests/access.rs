//! Who is let in.

use serde_json::json;

use super::*;

const LINE: &str = "GET /healthz";

async fn status_of(running: &Running, headers: &[&str], certificate: Option<Owned>) -> u16 {
    let mut lines = headers.to_vec();
    lines.push("Connection: close");
    whole(running.send(LINE, &lines, certificate).await).await.status
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    for line in
        ["GET /healthz", "GET /pods", "POST /exec/shop/web-0/nginx?command=ls&output=1", "GET /nothing"]
    {
        let answered = whole(running.send(line, &["Connection: close"], None).await).await;
        let expected = "Unauthorized: show a client certificate of this cluster or a bearer token\n";
        assert_eq!((answered.status, answered.body.as_str()), (401, expected), "{line}");
    }
    assert_eq!(status_of(&running, &["Authorization: Bearer wrong"], None).await, 401);
    assert!(running.peer.lines().is_empty() && running.local.lines().is_empty());
    running.end().await;
}

#[tokio::test]
async fn a_token_of_the_cluster_is_enough() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    let answered = running.ask(LINE).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "ok"));
    assert_eq!(running.reviewer.asked(), [format!("token {TOKEN}"), "admin get healthz".to_owned()]);
    running.end().await;
}

#[tokio::test]
async fn a_certificate_of_the_cluster_is_enough_and_no_other() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    let (ours, others) = (authority(), authority());
    running.authorizer.trust(&ours.pem).unwrap();
    running.reviewer.allow("kube-apiserver-kubelet-client", "get healthz");
    let client = |authority: &TestAuthority| {
        Some(authority.client("kube-apiserver-kubelet-client", &["system:masters"]))
    };
    assert_eq!(status_of(&running, &[], client(&ours)).await, 200);
    assert_eq!(status_of(&running, &[], client(&others)).await, 401);
    // With a token as well, the certificate does no harm.
    let token = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(status_of(&running, &[&token], client(&others)).await, 200);
    running.authorizer.trust(&others.pem).unwrap();
    assert_eq!(status_of(&running, &[], client(&ours)).await, 401);
    running.end().await;
}

#[tokio::test]
async fn who_is_known_may_still_be_forbidden() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    running.reviewer.know("m", "metrics-server");
    running.reviewer.allow("metrics-server", "get metrics");
    let token = ["Authorization: Bearer m", "Connection: close"];
    let exec = "POST /exec/shop/web-0/nginx?command=ls&output=1";
    let answered = whole(running.send(exec, &token, None).await).await;
    let expected = "Forbidden (user=metrics-server, resource=nodes, needed=create nodes/proxy)\n";
    assert_eq!((answered.status, answered.body.as_str()), (403, expected));
    let answered = whole(running.send("GET /metrics/resource", &token, None).await).await;
    assert_eq!(answered.status, 200);
    running.end().await;
}

#[tokio::test]
async fn nobody_is_let_in_while_the_cluster_cannot_be_asked() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    running.reviewer.fail();
    assert_eq!(running.ask(LINE).await.status, 503);
    running.end().await;
}
