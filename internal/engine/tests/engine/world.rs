//! An engine and everything around it, which a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use liqo_engine::{
    Actuator, Authority, Clock, Engine, Inbox, Input, LogSource, Metrics, Options, Outcome, Running,
};
use liqo_events::{
    Applied, BodyDigest, Command, Event, Facts, LeaseGained, LeaseLost, NamespaceFacts, Seq, Started,
    UnixMillis,
};
use liqo_model::ResourceVersion;
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::disk::Disk;
use crate::namespaces::{Namespaces, State, namespace, uid};

/// A command that waits for its answer.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) command: Command,
    pub(crate) attempt: u32,
    answer: oneshot::Sender<Outcome>,
}

impl Act {
    pub(crate) fn target(&self) -> &str {
        &self.command.slot.object.name
    }

    pub(crate) fn answer(self, outcome: Outcome) {
        self.answer.send(outcome).unwrap();
    }

    pub(crate) fn succeed(self) {
        self.answer(Outcome::Succeeded { resource_version: ResourceVersion::new("7") });
    }

    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_broken_off(&self) -> bool {
        self.answer.is_closed()
    }
}

/// Hands every command to the test. An answer that never comes is an actuator that hangs; when the test has dropped it,
/// the actuator panics.
#[derive(Clone, Debug)]
struct Hand(mpsc::UnboundedSender<Act>);

impl Actuator for Hand {
    async fn act(&self, command: &Command, attempt: u32) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.0.send(Act { command: command.clone(), attempt, answer }).unwrap();
        answered.await.expect("the test gave no answer")
    }
}

#[derive(Debug)]
struct Lease(AtomicBool);

impl Authority for Lease {
    fn may_act(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Goes with the runtime's clock, which stands still in tests.
#[derive(Debug)]
pub(crate) struct Wall(Instant);

impl Wall {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Wall {
    fn wall(&self) -> UnixMillis {
        UnixMillis(1_700_000_000_000).plus(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

/// Moves the clock on, and lets everything happen that is due until then. Nothing is waited for in earnest.
pub(crate) async fn elapse(time: Duration) {
    let passed = tokio::time::timeout(time, std::future::pending::<()>()).await;
    assert!(passed.is_err());
}

/// The engine and what is around it.
pub(crate) struct World {
    pub(crate) disk: Disk,
    pub(crate) engine: Running<Namespaces>,
    pub(crate) acts: mpsc::UnboundedReceiver<Act>,
    pub(crate) registry: Registry,
    lease: Arc<Lease>,
    versions: u64,
}

impl World {
    /// A follower on an empty disk.
    pub(crate) async fn new() -> Self {
        Self::on(&Disk::new()).await
    }

    /// A follower on a disk.
    pub(crate) async fn on(disk: &Disk) -> Self {
        Self::with(Box::new(disk.clone()), disk).await
    }

    pub(crate) async fn with(log: Box<dyn LogSource>, disk: &Disk) -> Self {
        Self::of_version("0.1.0", log, disk).await
    }

    /// The process of another version of the program.
    pub(crate) async fn of_version(version: &str, log: Box<dyn LogSource>, disk: &Disk) -> Self {
        let (hand, acts) = mpsc::unbounded_channel();
        let lease = Arc::new(Lease(AtomicBool::new(true)));
        let mut registry = Registry::default();
        let options = Options {
            log,
            started: Started {
                instance: "pod-uid".into(),
                version: version.to_owned(),
                entropy: [7; 16],
                cluster_name: "home".into(),
                namespace: "liqo".into(),
            },
            actuator: Hand(hand),
            authority: Arc::clone(&lease) as Arc<dyn Authority>,
            clock: Arc::new(Wall::new()),
            metrics: Metrics::register(&mut registry),
        };
        let engine = Engine::<Namespaces>::start(options).await.unwrap();
        Self { disk: disk.clone(), engine, acts, registry, lease, versions: 0 }
    }

    /// One that leads epoch 1 and is live.
    pub(crate) async fn live() -> Self {
        let world = Self::new().await;
        world.lead(1).await;
        world
    }

    pub(crate) async fn lead(&self, epoch: u64) {
        self.observe([LeaseGained { epoch, continued: false }.into()]).await;
        self.inbox().send_durably(Input::GoLive { epoch }).await.unwrap();
    }

    pub(crate) async fn lose(&self, epoch: u64) {
        self.observe([LeaseLost { epoch }.into()]).await;
    }

    pub(crate) fn set_lease(&self, valid: bool) {
        self.lease.0.store(valid, Ordering::SeqCst);
    }

    pub(crate) fn inbox(&self) -> Inbox {
        self.engine.handle.inbox()
    }

    /// Observes, and waits until it is durable.
    pub(crate) async fn observe(&self, events: impl IntoIterator<Item = Event>) -> Seq {
        self.inbox().send_durably(Input::Observe(events.into_iter().collect())).await.unwrap()
    }

    /// A namespace as the watch shows it.
    pub(crate) fn applied(&mut self, name: &str, scheduling_enabled: bool) -> Event {
        let facts = Facts::Namespace(NamespaceFacts { scheduling_enabled, ..NamespaceFacts::default() });
        self.with_facts(name, facts)
    }

    /// A namespace that differs from all before it.
    pub(crate) fn update(&mut self, name: &str) -> Event {
        let facts = Facts::Malformed(format!("version {}", self.versions));
        self.with_facts(name, facts)
    }

    fn with_facts(&mut self, name: &str, facts: Facts) -> Event {
        self.versions += 1;
        let applied = Applied {
            object: namespace(name),
            uid: uid(name),
            resource_version: ResourceVersion::new(self.versions.to_string()),
            generation: 0,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts,
            coalesced: 0,
        };
        applied.into()
    }

    pub(crate) async fn act(&mut self) -> Act {
        self.acts.recv().await.unwrap()
    }

    pub(crate) async fn state(&self) -> State {
        self.engine.handle.read(State::clone).await.unwrap()
    }

    /// Lets everything run that can, while the clock stands still.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass although the log is blocked, which holds the clock.
    pub(crate) async fn pass(&self, time: Duration) {
        self.settle().await;
        tokio::time::advance(time).await;
        self.settle().await;
    }

    /// Ends the engine as a crash does.
    pub(crate) async fn crash(self) -> Disk {
        self.engine.task.abort();
        assert!(self.engine.task.await.unwrap_err().is_cancelled());
        self.disk
    }

    /// Ends the engine as a stop does.
    pub(crate) async fn stop(self) -> Disk {
        self.engine.handle.stop();
        assert_eq!(self.engine.task.await.unwrap(), Ok(()));
        self.disk
    }

    /// One figure of the metrics.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
    }
}
