//! Logs, pods and figures.

use serde_json::json;
use tokio::sync::mpsc;

use super::*;

#[tokio::test]
async fn a_log_is_passed_on_while_it_is_written() {
    let (lines, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let running = start(move |_| Answer::Stream(receiver.lock().unwrap().take().unwrap())).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let line = "GET /containerLogs/shop/web-0/nginx?follow=true&tailLines=5&timestamps=true";
    let mut stream = running.send(line, &[&token], None).await;
    lines.send("first\n".to_owned()).await.unwrap();
    let head = head(&mut stream).await;
    assert_eq!(status(&head), 200);
    assert!(
        head.contains("content-type: text/plain\r\n") && head.contains("transfer-encoding: chunked"),
        "{head}"
    );
    expect(&mut stream, "6\r\nfirst\n\r\n").await;
    lines.send("second\n".to_owned()).await.unwrap();
    expect(&mut stream, "7\r\nsecond\n\r\n").await;
    let expected = "GET /api/v1/namespaces/shop-rome/pods/web-0/log?container=nginx&follow=true&timestamps=true&tailLines=5";
    assert_eq!(running.peer.lines(), [expected]);
    assert!(running.peer.asked()[0].headers.get("authorization").is_none());
    // The peer stops when nobody listens any more.
    drop(stream);
    timeout(DEADLINE, lines.closed()).await.unwrap();
    running.end().await;
}

#[tokio::test]
async fn who_reads_a_log_slowly_slows_the_peer() {
    let (lines, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let running = start(move |_| Answer::Stream(receiver.lock().unwrap().take().unwrap())).await;
    let token = format!("Authorization: Bearer {TOKEN}");
    let stream = running.send("GET /containerLogs/shop/web-0/nginx?follow=true", &[&token], None).await;
    let chunk = "x".repeat(1 << 20);
    // Sockets hold some megabytes; a log that is kept whole would take all of these.
    let all = async {
        for _ in 0..256 {
            lines.send(chunk.clone()).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_secs(3), all).await.is_err());
    drop(stream);
    running.end().await;
}

#[tokio::test]
async fn refusals_of_the_peer_are_passed_on_in_its_words() {
    let message = "container \"x\" in pod \"web-0\" is waiting to start";
    let status = json!({"kind": "Status", "code": 400, "message": message});
    let running = start(move |_| Answer::Json(400, status.clone())).await;
    let answered = running.ask("GET /containerLogs/shop/web-0/x").await;
    assert_eq!((answered.status, answered.body), (400, format!("{message}\n")));
    assert!(answered.head.contains("content-type: text/plain"), "{}", answered.head);
    running.end().await;
}

#[tokio::test]
async fn our_own_credential_is_not_the_callers_fault() {
    let running = start(|_| Answer::Json(401, json!({"message": "Unauthorized"}))).await;
    let answered = running.ask("GET /containerLogs/shop/web-0/nginx").await;
    let expected = "the peer's API server does not accept our identity any more: Unauthorized\n";
    assert_eq!((answered.status, answered.body.as_str()), (502, expected));
    running.end().await;
}

#[tokio::test]
async fn what_is_not_here_is_said_in_words_and_never_asked_for() {
    let running = start(|_| Answer::Json(200, json!({}))).await;
    let unknown =
        "pod other/web-0 is not known here: its namespace is not offloaded, or it is not in the peer yet\n";
    for (line, expected) in [
        ("GET /containerLogs/other/web-0/nginx", (404, unknown)),
        ("GET /nothing", (404, "the kubelet API of a virtual node has no such path\n")),
        (
            "GET /containerLogs/shop/..%2f..%2fx/nginx",
            (404, "the kubelet API of a virtual node has no such path\n"),
        ),
        ("POST /pods", (405, "this path does not take this method\n")),
        ("POST /containerLogs/shop/web-0/nginx", (405, "this path does not take this method\n")),
        (
            "GET /containerLogs/shop/web-0/nginx?tailLines=-1",
            (400, "tailLines must be a number of at least 0\n"),
        ),
        (
            "GET /exec/shop/web-0/nginx?command=ls&output=1",
            (400, "an upgrade is required: SPDY/3.1 or websocket\n"),
        ),
    ] {
        let answered = running.ask(line).await;
        assert_eq!((answered.status, answered.body.as_str()), expected, "{line}");
    }
    assert!(running.peer.lines().is_empty());
    running.end().await;
}

#[tokio::test]
async fn pods_are_those_of_the_node() {
    let list = json!({"kind": "PodList", "apiVersion": "v1", "items": []});
    let answer = list.clone();
    let running =
        start_both(|_| Answer::Json(500, json!({})), move |_| Answer::Json(200, answer.clone())).await;
    for path in ["/pods", "/runningpods/"] {
        let answered = running.ask(&format!("GET {path}")).await;
        assert_eq!(answered.status, 200);
        let body: serde_json::Value = serde_json::from_str(&answered.body).unwrap();
        assert_eq!(body, list);
    }
    assert_eq!(running.local.lines()[0], "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dliqo-milan");
    running.end().await;
}

#[tokio::test]
async fn metrics_are_those_that_the_peer_gathers() {
    let running = start(|_| Answer::Json(200, json!("metrics"))).await;
    for path in ["/metrics", "/metrics/cadvisor", "/metrics/resource", "/metrics/probes"] {
        let answered = running.ask(&format!("GET {path}?x=y")).await;
        assert_eq!((answered.status, answered.body.as_str()), (200, "\"metrics\""), "{path}");
        let asked = running.peer.lines().pop().unwrap();
        assert_eq!(asked, format!("GET /apis/metrics.liqo.io/v1alpha1/scrape/{HOME}{path}"));
    }
    running.end().await;
}

#[tokio::test]
async fn the_summary_is_of_our_pods() {
    let pod = |namespace: &str, name: &str| {
        json!({"metadata": {"namespace": namespace, "name": name, "uid": format!("uid of {name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z"}})
    };
    let pods = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "items": [pod("shop", "web-0"), pod("shop", "web-1"), pod("other", "web-0")]});
    let used = |name: &str| {
        json!({"metadata": {"name": name}, "timestamp": "2026-01-02T00:00:00Z",
            "containers": [{"name": "nginx", "usage": {"cpu": "5m", "memory": "1Ki"}}]})
    };
    let metrics = json!({"items": [used("web-0"), used("of-somebody-else")]});
    let running =
        start_both(move |_| Answer::Json(200, metrics.clone()), move |_| Answer::Json(200, pods.clone()))
            .await;
    let answered = running.ask("GET /stats/summary").await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let body: serde_json::Value = serde_json::from_str(&answered.body).unwrap();
    assert_eq!(body["node"]["nodeName"], "liqo-milan");
    assert_eq!(body["node"]["cpu"]["usageNanoCores"], 5_000_000);
    assert_eq!(body["pods"].as_array().unwrap().len(), 1);
    assert_eq!(
        body["pods"][0]["podRef"],
        json!({"namespace": "shop", "name": "web-0", "uid": "uid of web-0"})
    );
    assert_eq!(running.peer.lines(), ["GET /apis/metrics.k8s.io/v1beta1/namespaces/shop-rome/pods"]);
    running.end().await;
}

#[tokio::test]
async fn a_peer_without_metrics_is_no_node_that_does_nothing() {
    let pods = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "items": [{"metadata": {"namespace": "shop", "name": "web-0"}}]});
    let running = start_both(
        |_| Answer::Json(404, json!({"message": "the server could not find the requested resource"})),
        move |_| Answer::Json(200, pods.clone()),
    )
    .await;
    let answered = running.ask("GET /stats/summary").await;
    assert_eq!(
        (answered.status, answered.body.trim()),
        (404, "the server could not find the requested resource")
    );
    running.end().await;
}
