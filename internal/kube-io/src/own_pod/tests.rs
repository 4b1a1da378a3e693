//! What is asked of an API server, and what comes of its answers.

use std::time::Duration;

use liqo_engine::{Clock, Degradation};
use liqo_events::UnixMillis;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::OwnPod;
use crate::fake_server::{Asked, FakeServer, Reply};
use crate::{Chance, Limits};

const PATIENCE: Duration = Duration::from_secs(30);
const GET: &str = "GET /api/v1/namespaces/liqo/pods/manager-0";
const PATCH: &str =
    "PATCH /api/v1/namespaces/liqo/pods/manager-0/status?&fieldManager=liqo-controller-manager";
const POST: &str = "POST /api/v1/namespaces/liqo/events?&fieldManager=liqo-controller-manager";

struct Noon;

impl Clock for Noon {
    fn wall(&self) -> UnixMillis {
        UnixMillis(1_700_000_000_000)
    }
}

fn pod(conditions: &Value) -> Value {
    json!({
        "metadata": {"name": "manager-0", "uid": "pod-uid", "resourceVersion": "7"},
        "status": {"conditions": conditions},
    })
}

fn degradation() -> Option<Degradation> {
    Some(Degradation { since: UnixMillis(1_600_000_000_000), reason: "disk full".to_owned() })
}

/// A process that reports, and the pod that it reports on, which keeps what is written to its status.
struct Scene {
    states: watch::Sender<Option<Degradation>>,
    asked: mpsc::UnboundedReceiver<Asked>,
    report: JoinHandle<()>,
    _fake: FakeServer,
}

impl Scene {
    /// `refuse` may answer first.
    async fn begin(
        (state, put_aside): (Option<Degradation>, Option<&str>),
        conditions: Value,
        mut refuse: impl FnMut(&Asked) -> Option<Reply> + Send + 'static,
    ) -> Self {
        let (sender, asked) = mpsc::unbounded_channel();
        let mut conditions = conditions;
        let fake = FakeServer::start(Limits::default(), move |asked| {
            sender.send(asked.clone()).unwrap();
            if let Some(refusal) = refuse(asked) {
                return refusal;
            }
            if asked.line.starts_with("PATCH") {
                conditions = asked.body["status"]["conditions"].clone();
            }
            Reply::Json(200, pod(&conditions))
        })
        .await;
        let (states, receiver) = watch::channel(state);
        let (namespace, name) = ("liqo".to_owned(), "manager-0".to_owned());
        let own = OwnPod { server: fake.server.clone(), namespace, name, chance: Chance::seeded(1) };
        let report = tokio::spawn(own.report(receiver, put_aside.map(str::to_owned), Noon));
        Self { states, asked, report, _fake: fake }
    }

    async fn next(&mut self) -> Asked {
        timeout(PATIENCE, self.asked.recv()).await.unwrap().unwrap()
    }

    /// The next request must be this one; its body.
    async fn expect(&mut self, line: &str) -> Value {
        let asked = self.next().await;
        assert_eq!(asked.line, line);
        asked.body
    }

    /// Nothing more is asked, and the report ends with the engine.
    async fn end(mut self) {
        drop(self.states);
        timeout(PATIENCE, self.report).await.unwrap().unwrap();
        assert_eq!(self.asked.try_recv().ok(), None);
    }
}

/// The condition in a patch, without when it began.
fn said(patch: &Value) -> [&str; 3] {
    assert_eq!(patch["metadata"], json!({"uid": "pod-uid"}));
    let [condition] = patch["status"]["conditions"].as_array().unwrap().as_slice() else { panic!("{patch}") };
    assert_eq!(condition["type"], "liqo.io/LogDegraded");
    ["status", "reason", "message"].map(|key| condition[key].as_str().unwrap())
}

const BAD: [&str; 3] =
    ["True", "InMemoryOnly", "disk full; events are in memory only, a new log is tried each minute"];
const GOOD: [&str; 3] = ["False", "Durable", "events are durable again"];

#[tokio::test]
async fn a_log_that_fails_and_heals_is_seen_on_the_pod() {
    // given a log that is well, then nothing is said
    let mut scene = Scene::begin((None, None), json!([]), |_| None).await;
    scene.expect(GET).await;
    // when it fails
    scene.states.send_replace(degradation());
    scene.expect(GET).await;
    let event = scene.expect(POST).await;
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": event["metadata"]["name"], "namespace": "liqo"},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": "liqo", "name": "manager-0", "uid": "pod-uid",
        },
        "type": "Warning",
        "reason": "LogDegraded",
        "message": BAD[2],
        "source": {"component": "liqo-controller-manager"},
        "reportingComponent": "liqo-controller-manager",
        "reportingInstance": "manager-0",
        "firstTimestamp": "2023-11-14T22:13:20Z",
        "lastTimestamp": "2023-11-14T22:13:20Z",
        "count": 1,
    });
    assert_eq!(event, expected);
    assert!(event["metadata"]["name"].as_str().unwrap().starts_with("manager-0.logdegraded."), "{event}");
    let patch = scene.expect(PATCH).await;
    assert_eq!(said(&patch), BAD);
    assert_eq!(patch["status"]["conditions"][0]["lastTransitionTime"], "2020-09-13T12:26:40Z");
    // when it heals
    scene.states.send_replace(None);
    scene.expect(GET).await;
    let event = scene.expect(POST).await;
    assert_eq!((&event["type"], &event["reason"]), (&json!("Normal"), &json!("LogHealed")));
    assert_eq!(said(&scene.expect(PATCH).await), GOOD);
    scene.end().await;
}

#[tokio::test]
async fn what_an_earlier_container_left_is_taken_back_and_a_quarantine_is_told() {
    let left = json!([{
        "type": "liqo.io/LogDegraded", "status": "True", "reason": BAD[1], "message": BAD[2],
        "lastTransitionTime": "2020-09-13T12:26:40Z",
    }]);
    let mut scene = Scene::begin((None, Some("CURRENT is gone")), left, |_| None).await;
    scene.expect(GET).await;
    let event = scene.expect(POST).await;
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("LogQuarantined")));
    assert_eq!(event["message"], "the log could not be used and was put aside: CURRENT is gone");
    assert_eq!(scene.expect(POST).await["reason"], "LogHealed");
    assert_eq!(said(&scene.expect(PATCH).await), GOOD);
    scene.end().await;
}

#[tokio::test]
async fn what_could_not_be_said_is_said_later_and_once() {
    // given a status that cannot be written at first, by an API server that has the Event already then
    let (mut events, mut patches) = (0, 0);
    let refuse = move |asked: &Asked| {
        events += i32::from(asked.line == POST);
        patches += i32::from(asked.line == PATCH);
        match asked.line.as_str() {
            POST if events > 1 => Some(Reply::Json(409, json!({"message": "exists"}))),
            PATCH if patches == 1 => Some(Reply::Json(500, json!({"message": "later"}))),
            _ => None,
        }
    };
    let mut scene = Scene::begin((degradation(), None), json!([]), refuse).await;
    scene.expect(GET).await;
    let first = scene.expect(POST).await;
    scene.expect(PATCH).await;
    scene.expect(GET).await;
    assert_eq!(scene.expect(POST).await["metadata"], first["metadata"]);
    assert_eq!(said(&scene.expect(PATCH).await), BAD);
    scene.end().await;
}

#[tokio::test]
async fn a_process_that_does_not_know_its_pod_says_nothing() {
    let fake = FakeServer::start(Limits::default(), |_| Reply::Silence).await;
    let (namespace, name) = ("liqo".to_owned(), String::new());
    let own = OwnPod { server: fake.server.clone(), namespace, name, chance: Chance::seeded(1) };
    let (_states, receiver) = watch::channel(degradation());
    timeout(PATIENCE, own.report(receiver, Some("why".to_owned()), Noon)).await.unwrap();
    assert_eq!(fake.lines(), Vec::<String>::new());
}
