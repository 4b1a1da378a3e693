//! Calls over loopback with TLS, and streams with time that stands still.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use liqo_proto::projection as wire;
use liqo_proto::projection::projection_client::ProjectionClient;
use liqo_proto::projection::projection_server::Projection;
use liqo_proto::projection::watch_response::Update;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use super::*;
use crate::test_process::Process;
use crate::test_server::{Accounts, GATEWAY, NODE, SERVER_NAME, TestServer, certificates, roles};
use crate::{Metrics, ProjectionSource};

/// A server, and what a reader does with it.
struct Running(TestServer);

impl Running {
    async fn start<S: ProjectionSource>(source: Arc<S>) -> Self {
        Self(TestServer::start(source).await)
    }

    async fn connect(&self) -> Result<ProjectionClient<Channel>, tonic::transport::Error> {
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.0.authority))
            .domain_name(SERVER_NAME);
        let endpoint = Endpoint::from_shared(format!("https://{}", self.0.address))?.tls_config(tls)?;
        Ok(ProjectionClient::new(endpoint.connect().await?))
    }

    async fn watch(&self, token: &str, topic: &str, from: Option<(u64, u64)>) -> Result<Stream, Status> {
        let mut client = self.connect().await.unwrap();
        Ok(client.watch(request(token, topic, from)).await?.into_inner())
    }
}

type Stream = Streaming<wire::WatchResponse>;

fn request(token: &str, topic: &str, from: Option<(u64, u64)>) -> Request<wire::WatchRequest> {
    let from = from.map(|(epoch, seq)| wire::Position { epoch, seq });
    let mut request = Request::new(wire::WatchRequest { topic: topic.to_owned(), from });
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}

async fn next(stream: &mut Stream) -> Result<Update, Status> {
    let message =
        timeout(Duration::from_secs(10), stream.message()).await.expect("a message within ten seconds")?;
    Ok(message.expect("the stream goes on").update.expect("an update"))
}

fn entries(entries: &[(&str, &str)]) -> Vec<wire::Entry> {
    entries.iter().map(|(key, json)| wire::Entry { key: (*key).into(), json: (*json).into() }).collect()
}

fn snapshot(epoch: u64, seq: u64, held: &[(&str, &str)]) -> Update {
    Update::Snapshot(wire::Snapshot { epoch, seq, entries: entries(held) })
}

fn delta(epoch: u64, (from_seq, seq): (u64, u64), changed: &[(&str, &str)], removed: &[&str]) -> Update {
    let removed = removed.iter().map(|key| (*key).to_owned()).collect();
    Update::Delta(wire::Delta { epoch, from_seq, seq, changed: entries(changed), removed })
}

#[tokio::test]
async fn a_reader_gets_a_snapshot_then_changes_and_resumes_where_it_was() {
    // given a topic and a reader of it
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1"), ("b", "1")]);
    let running = Running::start(process.clone()).await;
    let mut first = running.watch(GATEWAY, "gateway", None).await.unwrap();
    assert_eq!(next(&mut first).await.unwrap(), snapshot(7, 1, &[("a", "1"), ("b", "1")]));
    // when the topic changes, then it gets the change
    process.show("gateway", &[("a", "2")]);
    assert_eq!(next(&mut first).await.unwrap(), delta(7, (1, 2), &[("a", "2")], &["b"]));
    // when another one comes back with an earlier position, then it gets what it missed
    let mut second = running.watch(GATEWAY, "gateway", Some((7, 1))).await.unwrap();
    assert_eq!(next(&mut second).await.unwrap(), delta(7, (1, 2), &[("a", "2")], &["b"]));
    // when the position is of another leader, then it gets everything
    let mut third = running.watch(GATEWAY, "gateway", Some((6, 1))).await.unwrap();
    assert_eq!(next(&mut third).await.unwrap(), snapshot(7, 2, &[("a", "2")]));
}

#[tokio::test]
async fn a_slow_reader_costs_nothing_and_gets_one_message_for_all_that_it_missed() {
    let process = Process::leading(7);
    process.show("gateway", &[("a", "0")]);
    let stop = watch::Sender::new(false);
    let service = ProjectionService::new(process.clone(), Arc::new(Accounts), roles(), stop.subscribe());
    let mut slow = service.watch(request(GATEWAY, "gateway", None)).await.unwrap().into_inner();
    let mut quick = service.watch(request(GATEWAY, "gateway", None)).await.unwrap().into_inner();
    slow.next().await.unwrap().unwrap();
    quick.next().await.unwrap().unwrap();
    // given a reader that takes nothing while another one takes each change
    for value in ["1", "2", "3"] {
        process.show("gateway", &[("a", value)]);
        quick.next().await.unwrap().unwrap();
    }
    // when it reads again, then it gets the last value alone
    let message = slow.next().await.unwrap().unwrap().update.unwrap();
    assert_eq!(message, delta(7, (1, 4), &[("a", "3")], &[]));
}

#[tokio::test]
async fn nobody_without_a_right_sees_anything() {
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1")]);
    process.show("node/n1", &[]);
    let running = Running::start(process).await;
    for (token, topic, code) in [
        ("", "gateway", Code::Unauthenticated),
        ("nonsense", "gateway", Code::Unauthenticated),
        ("liqo/gateway@n1 for https://kubernetes.default.svc", "gateway", Code::Unauthenticated),
        (GATEWAY, "node/n1", Code::PermissionDenied),
        (NODE, "gateway", Code::PermissionDenied),
        (NODE, "node/n2", Code::PermissionDenied),
        ("other/gateway@n1 for liqo-fabric", "gateway", Code::PermissionDenied),
        (GATEWAY, "missing", Code::NotFound),
    ] {
        let refused = running.watch(token, topic, None).await.unwrap_err();
        assert_eq!(refused.code(), code, "{token:?} {topic:?}: {refused}");
        assert!(token.is_empty() || !refused.message().contains(token), "the token is in {refused}");
    }
    assert!(running.watch(NODE, "node/n1", None).await.is_ok());
}

#[tokio::test]
async fn only_a_live_leader_speaks() {
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1")]);
    process.lead(7, false);
    let running = Running::start(process.clone()).await;
    // given a leader that is not live, then there is no snapshot
    let mut stream = running.watch(GATEWAY, "gateway", None).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap_err().code(), Code::Unavailable);
    // when it is live, then there is one, and when it leads no more the stream ends
    process.lead(8, true);
    let mut stream = running.watch(GATEWAY, "gateway", None).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap(), snapshot(8, 1, &[("a", "1")]));
    process.lead(8, false);
    assert_eq!(next(&mut stream).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn stopping_ends_streams_and_the_server() {
    let process = Process::leading(7);
    process.show("gateway", &[]);
    let running = Running::start(process).await;
    let mut stream = running.watch(GATEWAY, "gateway", None).await.unwrap();
    next(&mut stream).await.unwrap();
    running.0.stop.send_replace(true);
    assert_eq!(next(&mut stream).await.unwrap_err().code(), Code::Unavailable);
    timeout(Duration::from_secs(10), running.0.server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_used_and_open_streams_stay() {
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1")]);
    let mut running = Running::start(process.clone()).await;
    let mut stream = running.watch(GATEWAY, "gateway", None).await.unwrap();
    next(&mut stream).await.unwrap();
    // when one that cannot be used comes, then the one before stays in use
    running.0.tls.send_replace(TlsPem { certificates: "nonsense".into(), key: String::new() });
    assert!(running.watch(GATEWAY, "gateway", None).await.is_ok());
    // when a new authority makes a new one, then those who trust it get in
    let (authority, pem) = certificates();
    running.0.authority = authority;
    running.0.tls.send_replace(pem);
    let renewed = async {
        while running.connect().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), renewed).await.unwrap();
    // and what was open goes on
    process.show("gateway", &[("a", "2")]);
    assert_eq!(next(&mut stream).await.unwrap(), delta(7, (1, 2), &[("a", "2")], &[]));
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_a_heartbeat_and_ends_with_a_new_check() {
    // given a reader that has everything
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1")]);
    let stop = watch::Sender::new(false);
    let metrics = Metrics::default();
    let service = ProjectionService::new(process.clone(), Arc::new(Accounts), roles(), stop.subscribe());
    let service = service.with_metrics(metrics.clone());
    let mut stream = service.watch(request(GATEWAY, "gateway", None)).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();
    assert_eq!(metrics.streams.get(), 1);
    // when nothing changes but the position, then it hears of that five seconds later
    let began = Instant::now();
    process.go_on();
    let heartbeat = stream.next().await.unwrap().unwrap().update.unwrap();
    assert_eq!(heartbeat, Update::Heartbeat(wire::Heartbeat { epoch: 7, seq: 2 }));
    assert_eq!(began.elapsed().as_secs(), 5);
    // and the next change follows that position
    process.show("gateway", &[]);
    assert_eq!(stream.next().await.unwrap().unwrap().update.unwrap(), delta(7, (2, 3), &[], &["a"]));
    // and after half an hour the token is checked again
    let mut last = stream.next().await.unwrap();
    while last.is_ok() {
        last = stream.next().await.unwrap();
    }
    assert_eq!(last.unwrap_err().code(), Code::Unavailable);
    assert_eq!(began.elapsed().as_secs(), 30 * 60);
    assert!(stream.next().await.is_none());
    drop(stream);
    assert_eq!((metrics.streams.get(), metrics.snapshots.get(), metrics.deltas.get()), (0, 1, 1));
}
