//! Commands in containers and forwarded ports.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;

type Peer = mpsc::Receiver<TokioIo<Upgraded>>;

const EXEC: &str = "POST /exec/shop/web-0/nginx?command=sh&command=-c&command=echo+hi&input=1&output=1&tty=1";

/// A peer that agrees to every stream with these headers.
async fn agreeing(headers: &[(&'static str, &'static str)]) -> (Running, Peer) {
    let (connections, peer) = mpsc::channel(1);
    let headers = headers.to_vec();
    (start(move |_| Answer::Upgrade(headers.clone(), connections.clone())).await, peer)
}

async fn arrived(peer: &mut Peer) -> TokioIo<Upgraded> {
    timeout(DEADLINE, peer.recv()).await.unwrap().unwrap()
}

fn line(head: &str, name: &str) -> Option<String> {
    let found = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")))?;
    found.split_once(": ").map(|(_, value)| value.to_owned())
}

#[tokio::test]
async fn a_stream_of_spdy_is_passed_on_as_it_is() {
    let agreed = [
        ("Connection", "Upgrade"),
        ("Upgrade", "SPDY/3.1"),
        ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
    ];
    let (running, mut peer) = agreeing(&agreed).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [
        token.as_str(),
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "X-Stream-Protocol-Version: v5.channel.k8s.io",
        "X-Stream-Protocol-Version: v4.channel.k8s.io",
        "Impersonate-User: system:admin",
        "Content-Length: 0",
    ];
    let mut caller = running.send(EXEC, &asked, None).await;
    let head = head(&mut caller).await;
    assert_eq!(status(&head), 101, "{head}");
    assert_eq!(line(&head, "upgrade").unwrap(), "SPDY/3.1");
    assert_eq!(line(&head, "connection").unwrap(), "Upgrade");
    assert_eq!(line(&head, "x-stream-protocol-version").unwrap(), "v4.channel.k8s.io");
    let seen = &running.peer.asked()[0];
    assert_eq!(
        seen.line,
        "POST /api/v1/namespaces/shop-rome/pods/web-0/exec?container=nginx&stdin=true&stdout=true&tty=true\
         &command=sh&command=-c&command=echo+hi"
    );
    let versions: Vec<_> = seen.headers.get_all("x-stream-protocol-version").iter().collect();
    assert_eq!(versions, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    assert_eq!(seen.headers["upgrade"], "SPDY/3.1");
    assert!(seen.headers.get("authorization").is_none() && seen.headers.get("impersonate-user").is_none());

    let mut remote = arrived(&mut peer).await;
    caller.write_all(b"typed").await.unwrap();
    caller.flush().await.unwrap();
    expect(&mut remote, "typed").await;
    remote.write_all(b"shown").await.unwrap();
    expect(&mut caller, "shown").await;
    assert_eq!(running.metrics.streams.get(), 1);
    // The peer ends, and so does the stream.
    drop(remote);
    assert_eq!(timeout(DEADLINE, caller.read(&mut [0; 8])).await.unwrap().unwrap_or(0), 0);
    running.end().await;
}

#[tokio::test]
async fn a_websocket_is_passed_on_without_tokens() {
    let agreed = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"),
        ("Set-Cookie", "of-the-peer"),
    ];
    let (running, mut peer) = agreeing(&agreed).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [
        token.as_str(),
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.Y2FuYXJ5",
        "Origin: https://console",
    ];
    let mut caller = running.send("GET /attach/shop/web-0/nginx?output=1&error=1", &asked, None).await;
    let head = head(&mut caller).await;
    assert_eq!(status(&head), 101, "{head}");
    assert_eq!(line(&head, "sec-websocket-accept").unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(line(&head, "sec-websocket-protocol").unwrap(), "v5.channel.k8s.io");
    assert_eq!(line(&head, "set-cookie"), None);
    let seen = &running.peer.asked()[0];
    let target = "/api/v1/namespaces/shop-rome/pods/web-0/attach?container=nginx&stdout=true&stderr=true";
    assert_eq!(seen.line, format!("GET {target}"));
    assert_eq!(seen.headers["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(seen.headers["sec-websocket-protocol"], "v5.channel.k8s.io");
    assert!(seen.headers.get("origin").is_none());
    let mut remote = arrived(&mut peer).await;
    remote.write_all(b"frame").await.unwrap();
    expect(&mut caller, "frame").await;
    // The caller ends, and so does the stream.
    drop(caller);
    assert_eq!(timeout(DEADLINE, remote.read(&mut [0; 8])).await.unwrap().unwrap_or(0), 0);
    running.end().await;
}

#[tokio::test]
async fn ports_are_forwarded() {
    let agreed = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")];
    let (running, mut peer) = agreeing(&agreed).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [
        token.as_str(),
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "X-Stream-Protocol-Version: portforward.k8s.io",
    ];
    // SPDY that begins with GET is asked for with POST, for which more roles allow it.
    let mut caller = running.send("GET /portForward/shop/web-0", &asked, None).await;
    assert_eq!(status(&head(&mut caller).await), 101);
    assert_eq!(running.peer.lines(), ["POST /api/v1/namespaces/shop-rome/pods/web-0/portforward"]);
    // Much more than any buffer on the way, in both directions at once.
    let mut remote = arrived(&mut peer).await;
    let much = vec![7; 4 << 20];
    let echo = async {
        let (mut from, mut to) = tokio::io::split(&mut remote);
        tokio::io::copy(&mut (&mut from).take(4 << 20), &mut to).await.unwrap();
        to.flush().await.unwrap();
    };
    let talk = async {
        let (mut from, mut to) = tokio::io::split(&mut caller);
        let mut back = vec![0; much.len()];
        let write = async {
            to.write_all(&much).await.unwrap();
            to.flush().await.unwrap();
        };
        tokio::join!(write, async { from.read_exact(&mut back).await.unwrap() });
        assert!(back == much);
    };
    timeout(DEADLINE, async { tokio::join!(echo, talk) }).await.unwrap();
    drop(remote);
    running.end().await;
}

#[tokio::test]
async fn a_refusal_is_passed_on_as_the_object_that_it_is() {
    let refusal = json!({"kind": "Status", "code": 403, "message": "pods \"web-0\" is forbidden"});
    let answer = refusal.clone();
    let running = start(move |_| Answer::Json(403, answer.clone())).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [token.as_str(), "Connection: Upgrade", "Upgrade: SPDY/3.1"];
    let mut caller = running.send(EXEC, &asked, None).await;
    let head = head(&mut caller).await;
    assert_eq!(status(&head), 403);
    let mut body = vec![0; line(&head, "content-length").unwrap().parse().unwrap()];
    caller.read_exact(&mut body).await.unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), refusal);
    running.end().await;
}

#[tokio::test]
async fn a_peer_that_does_not_upgrade_is_no_stream() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let asked = [token.as_str(), "Connection: Upgrade", "Upgrade: SPDY/3.1"];
    let mut caller = running.send(EXEC, &asked, None).await;
    assert_eq!(status(&head(&mut caller).await), 502);
    running.end().await;
}
