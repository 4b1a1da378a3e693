//! Certificates that change, ends of the server, and what is odd on the wire.

use serde_json::json;
use tokio::sync::mpsc;

use super::*;

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let mut old = running.send("GET /healthz", &[&token], None).await;
    assert_eq!(status(&head(&mut old).await), 200);
    expect(&mut old, "ok").await;
    let before = running.tls.certificate();
    running.tls.renew_for_test();
    assert_ne!(running.tls.certificate(), before);
    assert_eq!(running.ask("GET /healthz").await.status, 200);
    old.write_all(format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{token}\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(status(&head(&mut old).await), 200);
    running.end().await;
}

#[tokio::test]
async fn the_end_of_the_server_ends_logs_that_are_followed() {
    let (lines, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let running = start(move |_| Answer::Stream(receiver.lock().unwrap().take().unwrap())).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let mut stream = running.send("GET /containerLogs/shop/web-0/nginx?follow=true", &[&token], None).await;
    assert_eq!(status(&head(&mut stream).await), 200);
    running.end().await;
    timeout(DEADLINE, lines.closed()).await.unwrap();
}

#[tokio::test]
async fn long_commands_pass_and_endless_heads_do_not() {
    let running = start(|_| Answer::Json(404, json!({"message": "no such pod"}))).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [token.as_str(), "Connection: Upgrade", "Upgrade: SPDY/3.1"];
    let exec = |length: usize| format!("POST /exec/shop/web-0/nginx?output=1&command={}", "x".repeat(length));
    let mut stream = running.send(&exec(60_000), &asked, None).await;
    assert_eq!(status(&head(&mut stream).await), 404);
    let mut stream = running.send(&exec(100_000), &asked, None).await;
    assert_eq!(status(&head(&mut stream).await), 414);
    running.end().await;
}

#[tokio::test]
async fn no_token_is_seen_in_answers() {
    let running = start(|_| Answer::Json(500, json!({"message": "broken"}))).await;
    for line in ["GET /containerLogs/shop/web-0/nginx", "GET /nothing", "GET /stats/summary"] {
        let answered = running.ask(line).await;
        assert!(!format!("{answered:?}").contains(TOKEN), "{line}");
    }
    running.end().await;
}
