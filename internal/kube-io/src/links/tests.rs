//! A peer comes and goes, beside a real engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_domain::{LiqoMachine, State, WatchWish};
use liqo_engine::{
    Actuator, Authority, Engine, Handle, Input, LogSource, OpenedLog, Options, Outcome, SystemClock,
};
use liqo_events::{Applied, BodyDigest, Command, Event, Facts, IdentityFacts, Proof, UnixMillis, Vanished};
use liqo_log::{EventLog, LogError, MemoryLog, Snapshot};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use prometheus_client::registry::Registry;
use rcgen::generate_simple_self_signed;
use serde_json::{Value, json};

use super::Links;
use crate::fake_server::{FakeServer, Reply};
use crate::watch::{ClusterLife, Watches};
use crate::{ApiServers, BodyCache, Chance, DigestKey, Limits};

const PEER: &str = "milan-id";

/// Does nothing, may nothing, keeps nothing.
struct Nothing;

impl Actuator for Nothing {
    async fn act(&self, _: &Command, _: u32) -> Outcome {
        Outcome::Superseded { reason: "nothing is done here".to_owned() }
    }
}

impl Authority for Nothing {
    fn may_act(&self) -> bool {
        false
    }
}

impl LogSource for Nothing {
    fn open(&mut self) -> Result<OpenedLog, LogError> {
        Ok(OpenedLog { log: Box::new(MemoryLog::default()), quarantined: None, lost: 0 })
    }

    fn begin(&mut self, _: &Snapshot) -> Result<Box<dyn EventLog>, LogError> {
        Ok(Box::new(MemoryLog::default()))
    }
}

fn remote() -> ClusterRef {
    ClusterRef::Remote(PEER.into())
}

/// Requests in our tenant namespace of every peer with an identity.
fn wishes(state: &State) -> BTreeSet<WatchWish> {
    let wish = |namespace: String| WatchWish {
        cluster: remote(),
        kind: Kind::ResourceRequest,
        namespace,
        labels: String::new(),
        fields: String::new(),
        keep_bodies: true,
    };
    liqo_domain::links(state).values().map(|link| wish(link.remote_namespace.to_string())).collect()
}

/// A peer that gives rights a moment after they are needed.
async fn peer() -> FakeServer {
    let mut refusals = 2;
    let (_, quiet) = tokio::sync::mpsc::channel(1);
    let mut quiet = Some(quiet);
    FakeServer::start(Limits::default(), move |asked| {
        let forbidden = || Reply::Json(403, json!({"kind": "Status", "code": 403, "message": "no"}));
        if asked.line.contains("/livez") {
            return Reply::Json(200, json!({}));
        }
        if asked.line.contains("/namespaces/kube-system") {
            return forbidden();
        }
        if asked.line.contains("watch=true") {
            return quiet.take().map_or(Reply::Silence, Reply::Stream);
        }
        if refusals > 0 {
            refusals -= 1;
            return forbidden();
        }
        let metadata =
            json!({"name": "rome", "namespace": "liqo-tenant-rome", "uid": "r", "resourceVersion": "5"});
        Reply::Json(200, json!({"metadata": {"resourceVersion": "9"}, "items": [{"metadata": metadata}]}))
    })
    .await
}

fn secret(url: &str) -> Value {
    let made = generate_simple_self_signed(["rome-id".to_owned()]).unwrap();
    let data: BTreeMap<&str, String> = [
        ("apiServerUrl", url.to_owned()),
        ("certificate", made.cert.pem()),
        ("private-key", made.signing_key.serialize_pem()),
    ]
    .map(|(key, text)| (key, STANDARD.encode(text)))
    .into();
    json!({
        "metadata": {"name": "identity", "namespace": "tenant", "uid": "s", "resourceVersion": "7"},
        "data": data,
    })
}

fn identity() -> ObjectKey {
    ObjectKey::local(Kind::Secret, "tenant", "identity")
}

fn applied() -> Event {
    Event::Applied(Applied {
        object: identity(),
        uid: "s".into(),
        resource_version: "7".into(),
        generation: 0,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts: Facts::Identity(IdentityFacts {
            peer: PEER.into(),
            remote_namespace: "liqo-tenant-rome".into(),
            ..IdentityFacts::default()
        }),
        coalesced: 0,
    })
}

async fn engine() -> Handle<LiqoMachine> {
    let options = Options {
        log: Box::new(Nothing),
        started: crate::started("rome-1", "liqo", "rome").unwrap(),
        actuator: Nothing,
        authority: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        metrics: liqo_engine::Metrics::register(&mut Registry::default()),
    };
    Engine::<LiqoMachine>::start(options).await.unwrap().handle
}

async fn until(handle: &Handle<LiqoMachine>, holds: fn(&State) -> bool) {
    let mut published = handle.subscribe();
    while !handle.read(holds).await.unwrap() {
        published.changed().await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_is_talked_to_while_there_is_an_identity() {
    let peer = peer().await;
    let answer = secret(&peer.url);
    let local = FakeServer::start(Limits::default(), move |_| Reply::Json(200, answer.clone())).await;
    let handle = engine().await;
    let (servers, watches) = (ApiServers::default(), Watches::default());
    let links = Links {
        local: Arc::clone(&local.server),
        life: Arc::new(ClusterLife::new(ClusterRef::Local, "u".into(), 1)),
        servers: servers.clone(),
        watches: watches.clone(),
        cache: Arc::new(BodyCache::new(1 << 20, Arc::clone(&local.metrics))),
        digest_key: DigestKey::new(&[1; 16]).unwrap(),
        metrics: Arc::clone(&local.metrics),
        wishes,
        relist_all: false,
    };
    let following = tokio::spawn(links.run(handle.clone(), Chance::seeded(1)));
    handle.inbox().send(Input::Observe(vec![applied()])).await.unwrap();

    until(&handle, |state| state.probes.get(&remote()).is_some_and(|probe| probe.body.reachable)).await;
    // Rights come late, and are waited for.
    until(&handle, |state| state.objects_of(&remote(), Kind::ResourceRequest).count() == 1).await;
    until(&handle, |state| state.lists.iter().any(|(watch, _)| watch.cluster == remote())).await;
    assert!(servers.get(&remote()).is_some());
    let names: Vec<String> = watches.all().iter().map(|watch| watch.key().to_string()).collect();
    assert_eq!(names, ["milan-id:ResourceRequest[namespace=liqo-tenant-rome]"]);
    assert_eq!(local.lines(), ["GET /api/v1/namespaces/tenant/secrets/identity"]);

    let gone =
        Vanished { object: identity(), uid: "s".into(), resource_version: "8".into(), proof: Proof::Deleted };
    handle.inbox().send(Input::Observe(vec![Event::Vanished(gone)])).await.unwrap();
    // The last word of the watches is that there are none; what was seen stays known.
    while servers.get(&remote()).is_some() || !watches.all().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.read(|state| state.objects_of(&remote(), Kind::ResourceRequest).count()).await, Ok(1));
    handle.stop();
    following.await.unwrap();
}
