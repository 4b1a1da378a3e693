//! Calls over the unix socket.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use liqo_events::{Envelope, Event, LeaseGained, LeaseLost, Rejected, Seq};
use liqo_model::{Kind, ObjectKey};
use liqo_proto::debug as wire;
use liqo_proto::debug::debug_client::DebugClient;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use super::*;
use crate::Metrics;
use crate::test_process::Process;

struct Running {
    process: Arc<Process>,
    directory: tempfile::TempDir,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), SocketError>>,
}

impl Running {
    async fn start() -> Self {
        let (process, directory) = (Process::leading(7), tempfile::tempdir().unwrap());
        let stop = watch::Sender::new(false);
        let socket = DebugSocket::bind(&directory.path().join("debug.sock")).await.unwrap();
        let service = DebugService::new(process.clone(), stop.subscribe());
        let server = tokio::spawn(serve(socket, service, Metrics::default()));
        Self { process, directory, stop, server }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("debug.sock")
    }

    async fn channel(&self) -> Channel {
        let address = format!("unix:{}", self.path().display());
        Endpoint::from_shared(address).unwrap().connect().await.unwrap()
    }

    async fn client(&self) -> DebugClient<Channel> {
        DebugClient::new(self.channel().await)
    }

    /// Five events: a lease, three objections to milan and rome by turns, the lease's end.
    fn write_a_log(&self) {
        self.process.append(0, LeaseGained { epoch: 7, continued: false });
        for name in ["milan", "rome", "milan"] {
            self.process.append(1, rejected(name));
        }
        self.process.append(0, LeaseLost { epoch: 7 });
    }
}

fn rejected(name: &str) -> Event {
    let object = ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name);
    Rejected { object, uid: "u".into(), reason: "no".into() }.into()
}

fn milan() -> wire::ObjectReference {
    wire::ObjectReference { kind: "foreigncluster".into(), name: "milan".into(), ..Default::default() }
}

async fn numbers(mut stream: Streaming<wire::Event>) -> Vec<u64> {
    let mut found = Vec::new();
    while let Some(event) = stream.message().await.unwrap() {
        found.push(event.seq);
    }
    found
}

async fn tail(running: &Running, request: wire::TailRequest) -> Result<Vec<u64>, Status> {
    Ok(numbers(running.client().await.tail(request).await?.into_inner()).await)
}

#[tokio::test]
async fn events_are_read_by_what_is_asked_for() {
    let running = Running::start().await;
    running.write_a_log();
    let all = wire::TailRequest::default();
    assert_eq!(tail(&running, all.clone()).await.unwrap(), [1, 2, 3, 4, 5]);
    let cases = [
        (wire::TailRequest { from_seq: Some(4), ..all.clone() }, vec![4, 5]),
        (wire::TailRequest { last: Some(2), ..all.clone() }, vec![4, 5]),
        (wire::TailRequest { last: Some(0), ..all.clone() }, vec![]),
        (wire::TailRequest { kinds: vec!["rejected".into()], ..all.clone() }, vec![2, 3, 4]),
        (wire::TailRequest { families: vec![wire::Family::Observed.into()], ..all.clone() }, vec![1, 5]),
        (wire::TailRequest { object: Some(milan()), ..all.clone() }, vec![2, 4]),
    ];
    for (request, expected) in cases {
        assert_eq!(tail(&running, request.clone()).await.unwrap(), expected, "{request:?}");
    }
    let unknown = wire::TailRequest { kinds: vec!["Deleted".into()], ..all.clone() };
    assert_eq!(tail(&running, unknown).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown =
        wire::TailRequest { object: Some(wire::ObjectReference { kind: "thing".into(), ..milan() }), ..all };
    assert_eq!(tail(&running, unknown).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn new_events_come_as_they_are_written() {
    let running = Running::start().await;
    running.write_a_log();
    let request = wire::TailRequest { from_seq: Some(5), follow: true, ..Default::default() };
    let mut stream = running.client().await.tail(request).await.unwrap().into_inner();
    for expected in 5..9 {
        let next = timeout(Duration::from_secs(10), stream.message()).await.unwrap();
        assert_eq!(next.unwrap().unwrap().seq, expected);
        running.process.append(0, LeaseLost { epoch: expected });
    }
    // when the process stops, then the stream ends and the socket is gone
    running.stop.send_replace(true);
    while timeout(Duration::from_secs(10), stream.message()).await.unwrap().unwrap().is_some() {}
    drop(stream);
    timeout(Duration::from_secs(10), running.server).await.unwrap().unwrap().unwrap();
    assert!(!running.directory.path().join("debug.sock").exists());
}

#[tokio::test]
async fn one_event_is_told_in_full() {
    let running = Running::start().await;
    running.write_a_log();
    let mut client = running.client().await;
    let told = client.get(wire::GetRequest { seq: 2 }).await.unwrap().into_inner();
    let expected = wire::Event {
        seq: 2,
        recorded_at: "1970-01-01T00:00:01.000Z".into(),
        kind: 102,
        name: "Rejected".into(),
        family: wire::Family::Decided.into(),
        caused_by: Some(1),
        state_digest: "0000000000000002".into(),
        trace: None,
        object: Some(wire::ObjectReference {
            cluster: "local".into(),
            kind: "ForeignCluster".into(),
            ..milan()
        }),
        summary: "ForeignCluster/milan rejected: no".into(),
        payload_json: told.payload_json.clone(),
    };
    assert_eq!(told, expected);
    let payload: serde_json::Value = serde_json::from_str(&told.payload_json).unwrap();
    assert_eq!(payload["rejected"]["reason"], "no");
    running.process.forget_before(Seq(3));
    for (seq, words) in [(2, "retention dropped it"), (6, "not written yet")] {
        let missing = client.get(wire::GetRequest { seq }).await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound);
        assert!(missing.message().contains(words), "{missing}");
    }
}

#[tokio::test]
async fn why_shows_what_led_there() {
    let running = Running::start().await;
    running.write_a_log();
    let mut client = running.client().await;
    let about =
        |object| wire::WhyRequest { subject: Some(wire::why_request::Subject::Object(object)), depth: 0 };
    let told = client.why(about(milan())).await.unwrap().into_inner();
    let steps: Vec<(u64, u32, bool)> =
        told.steps.iter().map(|step| (step.event.as_ref().unwrap().seq, step.depth, step.asked)).collect();
    assert_eq!(steps, [(1, 0, false), (2, 1, false), (3, 1, false), (4, 1, true)]);
    assert_eq!((told.omitted, told.searched_from), (0, 1));
    let unknown = about(wire::ObjectReference { name: "paris".into(), ..milan() });
    assert_eq!(client.why(unknown).await.unwrap_err().code(), Code::NotFound);
    let nothing = wire::WhyRequest { subject: None, depth: 0 };
    assert_eq!(client.why(nothing).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_export_is_the_log() {
    let running = Running::start().await;
    running.write_a_log();
    let request = wire::ExportRequest { from_seq: Some(2), to_seq: Some(4) };
    let mut stream = running.client().await.export(request).await.unwrap().into_inner();
    let mut read = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        read.extend(
            answer.records.iter().map(|record| Envelope::from_bytes(record).unwrap().open().unwrap().seq.0),
        );
    }
    assert_eq!(read, [2, 3, 4]);
}

#[tokio::test]
async fn the_process_says_how_it_is_doing() {
    let running = Running::start().await;
    running.write_a_log();
    let told = running.client().await.state(wire::StateRequest {}).await.unwrap().into_inner();
    let expected = wire::StateResponse {
        seq: 5,
        digest: "0000000000000007".into(),
        epoch: 7,
        leader: true,
        live: true,
        degraded: true,
        degraded_reason: "the disk is full".into(),
        degraded_since: "1970-01-01T00:00:01.000Z".into(),
        counts: [("objects".to_owned(), 3)].into(),
        log: Some(wire::LogStatistics {
            on_volume: 4,
            snapshot: Some(3),
            put_aside: "damaged".into(),
            ..Default::default()
        }),
    };
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_leader_alone_lets_go_of_what_is_held() {
    let running = Running::start().await;
    let mut client = running.client().await;
    let milan = wire::ReleaseRequest { peer: "milan".into() };
    let told = client.release(milan.clone()).await.unwrap().into_inner();
    assert_eq!(told, wire::ReleaseResponse { cluster: "milan-id".into(), mappings: 2 });
    let unknown = client.release(wire::ReleaseRequest { peer: "paris".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    running.process.follow();
    let refused = client.release(milan).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let said =
        "this process does not lead, so it decides nothing: ask the pod with uid pod-2, which leads (--pod)";
    assert_eq!(refused.message(), said);
}

#[tokio::test]
async fn any_console_can_find_its_way() {
    let running = Running::start().await;
    let channel = running.channel().await;
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers =
        ServerReflectionClient::new(channel.clone()).server_reflection_info(tokio_stream::once(list)).await;
    let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    assert_eq!(
        names,
        ["liqo.debug.v1.Debug", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]
    );
    let health =
        HealthClient::new(channel).check(HealthCheckRequest { service: names[0].clone() }).await.unwrap();
    assert_eq!(health.into_inner().status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
}
