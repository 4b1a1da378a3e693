//! What webhooks are told while the engine ends.

use std::sync::Arc;

use liqo_admission::Verdicts as _;
use liqo_domain::{LiqoMachine, NamespaceOrigin, Placement, Undecided};
use liqo_engine::{
    Actuator, Authority, Engine, Input, LogSource, OpenedLog, Options, Outcome, Running, SystemClock,
};
use liqo_events::{
    Applied, BodyDigest, Command, Event, Facts, GenerationChanged, NamespaceFacts, OffloadingFacts,
    PodStrategy, RelistCompleted, UnixMillis, WatchKey,
};
use liqo_log::{EventLog, LogError, MemoryLog, Snapshot};
use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey};
use prometheus_client::registry::Registry;

use crate::webhooks::StateVerdicts;

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

fn applied(object: ObjectKey, facts: Facts) -> Event {
    Event::Applied(Applied {
        uid: format!("uid-{object}").into(),
        object,
        resource_version: "20".into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts,
        coalesced: 0,
    })
}

fn namespace(name: &str, consumer: &str) -> Event {
    let facts = NamespaceFacts { remote_cluster: consumer.into(), ..NamespaceFacts::default() };
    applied(ObjectKey::local_cluster_scoped(Kind::Namespace, name), Facts::Namespace(facts))
}

fn offloading(namespace: &str) -> Event {
    let facts = OffloadingFacts { pods: PodStrategy::Remote, ..OffloadingFacts::default() };
    applied(ObjectKey::local(Kind::NamespaceOffloading, namespace, "offloading"), Facts::Offloading(facts))
}

fn listed(kind: Kind) -> Event {
    Event::RelistCompleted(RelistCompleted {
        watch: WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() },
        resource_version: "5".into(),
        generation: 1,
        objects: 0,
        differences: 0,
    })
}

/// An engine that knows an offloaded namespace, one of a consumer, and one of nobody.
async fn engine() -> Running<LiqoMachine> {
    let options = Options {
        log: Box::new(Nothing),
        started: liqo_kube_io::started("rome-1", "liqo", "rome").unwrap(),
        actuator: Nothing,
        authority: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        metrics: liqo_engine::Metrics::register(&mut Registry::default()),
    };
    let running = Engine::<LiqoMachine>::start(options).await.unwrap();
    let life = GenerationChanged {
        cluster: ClusterRef::Local,
        uid: "life".into(),
        generation: 1,
        reason: "first contact".to_owned(),
    };
    let events = vec![
        Event::GenerationChanged(life),
        listed(Kind::Namespace),
        listed(Kind::NamespaceOffloading),
        namespace("shop", ""),
        offloading("shop"),
        // Its namespace was not seen yet.
        offloading("early"),
        namespace("office-milan", "milan-id"),
        namespace("home", ""),
    ];
    running.handle.inbox().send_durably(Input::Observe(events)).await.unwrap();
    running
}

async fn said(verdicts: &StateVerdicts) -> Vec<(Placement, NamespaceOrigin)> {
    let mut said = Vec::new();
    for name in ["shop", "early", "office-milan", "home", "nowhere"] {
        let name = NamespaceName::new(name);
        let placement = verdicts.placement(&name).await.unwrap();
        said.push((placement, verdicts.namespace_origin(&name).await.unwrap()));
    }
    said
}

#[tokio::test]
async fn after_the_engine_what_it_said_last_counts() {
    let running = engine().await;
    let verdicts = StateVerdicts::new(running.handle.clone());
    let before = said(&verdicts).await;
    let remote = || Placement::Remote { terms: vec![] };
    assert_eq!(
        before,
        [
            (remote(), NamespaceOrigin::Local),
            (remote(), NamespaceOrigin::Missing),
            (Placement::NotOffloaded, NamespaceOrigin::Consumer("milan-id".into())),
            (Placement::NotOffloaded, NamespaceOrigin::Local),
            (Placement::Undecided(Undecided::UnknownNamespace), NamespaceOrigin::Missing),
        ]
    );
    verdicts.clone().keep_the_last().await;
    running.handle.stop();
    running.task.await.unwrap().unwrap();
    assert_eq!(said(&verdicts).await, before);
}

#[tokio::test]
async fn without_a_last_word_the_end_of_the_engine_is_a_refusal_that_says_so() {
    let running = engine().await;
    let verdicts = StateVerdicts::new(running.handle.clone());
    running.handle.stop();
    running.task.await.unwrap().unwrap();
    // Too late for one.
    verdicts.keep_the_last().await;
    let refusal = verdicts.placement(&NamespaceName::new("shop")).await.unwrap_err();
    assert_eq!(refusal.reason, "the control plane is ending; ask again");
}
