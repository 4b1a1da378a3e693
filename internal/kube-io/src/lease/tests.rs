//! The plan as a table, and keepers of one Lease against each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liqo_engine::{Clock, Input};
use liqo_events::{Event, UnixMillis};
use liqo_model::Uid;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{
    DURATION, LeaseGuard, LeaseKeeper, LeaseRecord, LeaseSettings, LeaseStep, LeaseStore, MARGIN, Me,
    RENEW_EVERY, Seen, plan,
};
use crate::fake_server::{FakeServer, Reply};
use crate::keys::EPOCH;
use crate::object::Tree;
use crate::{Chance, Gone, Limits, RawObject, Refusal};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const SECONDS: u64 = 1_700_000_000;

fn seen(holder: &str, epoch: u64, renewed_ago: u64, unchanged_for: u64) -> Option<Seen> {
    let record = LeaseRecord {
        holder: holder.into(),
        epoch,
        renewed_at: UnixMillis(NOW.0 - i64::try_from(renewed_ago * 1000).unwrap()),
        duration: DURATION,
        ..LeaseRecord::default()
    };
    Some(Seen { record, unchanged_for: Duration::from_secs(unchanged_for) })
}

fn step(seen: Option<&Seen>, held: Option<u64>, may_continue: bool) -> LeaseStep {
    plan(seen, Me { uid: &"me".into(), held, may_continue }, NOW)
}

fn take(epoch: u64, continued: bool) -> LeaseStep {
    LeaseStep::Take { epoch, continued }
}

#[test]
fn who_does_not_hold_it() {
    for (seen, may_continue, expected) in [
        (None, true, LeaseStep::Create { epoch: SECONDS }),
        // Given back.
        (seen("", 7, 1, 0), true, take(SECONDS, false)),
        // The clock went back since the last holder: epochs grow nevertheless.
        (seen("", SECONDS + 90, 1, 0), true, take(SECONDS + 91, false)),
        // An earlier container of this pod.
        (seen("me", 7, 14, 0), true, take(SECONDS, true)),
        (seen("me", 7, 14, 0), false, take(SECONDS, false)),
        (seen("me", 7, 15, 0), true, take(SECONDS, false)),
        (seen("me", 0, 1, 0), true, take(SECONDS, false)),
        // Somebody else, watched by our own clock; theirs may be wrong by minutes.
        (seen("other", 7, 0, 0), true, LeaseStep::Wait { pause: RENEW_EVERY }),
        (seen("other", 7, 200, 0), true, LeaseStep::Wait { pause: RENEW_EVERY }),
        (seen("other", 7, 0, 13), true, LeaseStep::Wait { pause: Duration::from_secs(2) }),
        (seen("other", 7, 0, 15), true, take(SECONDS, false)),
        // Older than any difference of clocks.
        (seen("other", 7, 315, 0), true, take(SECONDS, false)),
    ] {
        assert_eq!(step(seen.as_ref(), None, may_continue), expected, "{seen:?} {may_continue}");
    }
}

#[test]
fn who_holds_it() {
    for (seen, expected) in [
        (seen("me", 7, 5, 5), LeaseStep::Renew),
        // Late, but nobody took it.
        (seen("me", 7, 100, 100), LeaseStep::Renew),
        (seen("other", 8, 0, 0), LeaseStep::StepDown),
        (seen("", 7, 0, 0), LeaseStep::StepDown),
        // Another container of this pod took it: this one must be a ghost.
        (seen("me", 8, 0, 0), LeaseStep::StepDown),
        (None, LeaseStep::StepDown),
    ] {
        assert_eq!(step(seen.as_ref(), Some(7), true), expected, "{seen:?}");
    }
}

/// A Lease as an API server keeps it: versions, and no write with an old one.
#[derive(Clone, Default)]
struct Store {
    kept: Arc<Mutex<Kept>>,
    /// Whether this way to it is cut.
    cut: Arc<AtomicBool>,
}

#[derive(Default)]
struct Kept {
    lease: Option<Value>,
    version: u64,
}

impl Kept {
    fn keep(&mut self, mut lease: Value) -> RawObject {
        self.version += 1;
        lease["metadata"]["uid"] = json!("lease-uid");
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        RawObject::from_tree(Tree { body: lease, too_deep: false }).unwrap()
    }

    fn change(&mut self, change: impl FnOnce(&mut Value)) {
        let mut lease = self.lease.clone().unwrap();
        change(&mut lease);
        self.keep(lease);
    }
}

impl Store {
    /// Another way to the same Lease.
    fn another_way(&self) -> Self {
        Self { kept: Arc::clone(&self.kept), cut: Arc::default() }
    }

    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Release);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap())
    }

    fn answer(&self, act: impl FnOnce(&mut Kept) -> Result<RawObject, u16>) -> Result<RawObject, Refusal> {
        let answer = if self.cut.load(Ordering::Acquire) { Err(503) } else { self.with(act) };
        answer.map_err(|code| Refusal::Status { code, message: String::new(), retry_after: None })
    }
}

impl Store {
    fn read(&self) -> Result<RawObject, Refusal> {
        self.answer(|kept| {
            let body = kept.lease.clone().ok_or(404_u16)?;
            Ok(RawObject::from_tree(Tree { body, too_deep: false }).unwrap())
        })
    }

    fn make(&self, lease: Value) -> Result<RawObject, Refusal> {
        self.answer(|kept| if kept.lease.is_some() { Err(409) } else { Ok(kept.keep(lease)) })
    }

    fn merge(&self, patch: &Value) -> Result<RawObject, Refusal> {
        self.answer(|kept| {
            let mut lease = kept.lease.clone().ok_or(404_u16)?;
            if lease["metadata"]["resourceVersion"] != patch["metadata"]["resourceVersion"] {
                return Err(409);
            }
            for part in ["metadata", "spec"] {
                for (key, value) in patch[part].as_object().into_iter().flatten() {
                    lease[part][key] = value.clone();
                }
            }
            Ok(kept.keep(lease))
        })
    }
}

impl LeaseStore for Store {
    async fn get(&self) -> Result<RawObject, Refusal> {
        self.read()
    }

    async fn create(&self, lease: Value) -> Result<RawObject, Refusal> {
        self.make(lease)
    }

    async fn patch(&self, patch: Value) -> Result<RawObject, Refusal> {
        self.merge(&patch)
    }
}

/// A wall clock that goes with the stopped one.
struct TestClock(Instant);

impl Clock for TestClock {
    fn wall(&self) -> UnixMillis {
        NOW.plus(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

fn settings(holder: &str) -> LeaseSettings {
    LeaseSettings {
        namespace: "liqo".to_owned(),
        name: "lease".to_owned(),
        holder: holder.into(),
        may_continue: true,
    }
}

struct Keeper {
    guard: LeaseGuard,
    inputs: mpsc::Receiver<Input>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), Gone>>,
}

impl Keeper {
    fn start(store: &Store, clock: Instant, holder: &str) -> Self {
        let settings = settings(holder);
        let (sink, inputs) = mpsc::channel(10);
        let (keeper, guard) =
            LeaseKeeper::with_store(store.clone(), settings, sink, TestClock(clock), Chance::seeded(2));
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(keeper.run(async {
            let _ = stopped.await;
        }));
        Self { guard, inputs, stop: Some(stop), task }
    }

    async fn gains(&mut self) -> (u64, bool) {
        match self.inputs.recv().await.unwrap() {
            Input::Observe(events) => match events.as_slice() {
                [Event::LeaseGained(gained)] => (gained.epoch, gained.continued),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    async fn loses(&mut self) -> u64 {
        match self.inputs.recv().await.unwrap() {
            Input::Observe(events) => match events.as_slice() {
                [Event::LeaseLost(lost)] => lost.epoch,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    async fn stop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        assert_eq!((&mut self.task).await.unwrap(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_given_back_and_taken_by_the_next_with_a_larger_epoch() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut first = Keeper::start(&store, clock, "pod-1");
    assert_eq!(first.gains().await, (SECONDS, false));
    assert!(first.guard.is_valid());
    first.stop().await;
    assert!(!first.guard.is_valid());
    assert_eq!(first.loses().await, SECONDS);
    let mut second = Keeper::start(&store, clock, "pod-2");
    assert_eq!(second.gains().await, (SECONDS + 1, false));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_as_long_as_it_is_renewed() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut keeper = Keeper::start(&store, clock, "pod-1");
    keeper.gains().await;
    for _ in 0..100 {
        sleep(Duration::from_secs(5)).await;
        assert!(keeper.guard.is_valid());
    }
    assert!(keeper.inputs.try_recv().is_err());
    keeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_container_goes_on_with_the_next_epoch() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut first = Keeper::start(&store, clock, "pod-1");
    assert_eq!(first.gains().await, (SECONDS, false));
    // Killed: nothing is given back.
    first.task.abort();
    let mut again = Keeper::start(&store, clock, "pod-1");
    assert_eq!(again.gains().await, (SECONDS + 1, true));
}

#[tokio::test(start_paused = true)]
async fn another_pod_waits_until_the_holder_is_silent_for_long_enough() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut first = Keeper::start(&store, clock, "pod-1");
    first.gains().await;
    let mut second = Keeper::start(&store, clock, "pod-2");
    sleep(Duration::from_secs(60)).await;
    assert!(second.inputs.try_recv().is_err());
    let holder = second.guard.holder();
    assert_eq!(*holder.borrow(), "pod-1".into());
    first.task.abort();
    let killed = Instant::now();
    let (epoch, continued) = second.gains().await;
    assert!(epoch > SECONDS && !continued);
    assert_eq!(*holder.borrow(), "pod-2".into());
    let silent = killed.elapsed();
    assert!(silent >= Duration::from_secs(10) && silent <= Duration::from_secs(21), "{silent:?}");
}

/// One that is cut off, again and again, and another that waits: never may both act at one moment.
#[tokio::test(start_paused = true)]
async fn one_that_is_cut_off_stops_before_another_begins() {
    let (store, clock) = (Store::default(), Instant::now());
    let other_way = store.another_way();
    let mut first = Keeper::start(&store, clock, "pod-1");
    assert_eq!(first.gains().await, (SECONDS, false));
    let mut second = Keeper::start(&other_way, clock, "pod-2");
    let mut ways = [&store, &other_way];
    let mut epochs = vec![SECONDS];
    for _ in 0..6 {
        // Cut off whoever leads, and look at both guards all the time until the other one does.
        ways[0].cut(true);
        let since = Instant::now();
        let (old, new) =
            if epochs.len() % 2 == 1 { (&mut first, &mut second) } else { (&mut second, &mut first) };
        while new.inputs.is_empty() {
            assert!(!(old.guard.is_valid() && new.guard.is_valid()), "both after {:?}", since.elapsed());
            assert!(since.elapsed() < 3 * DURATION, "nobody leads");
            sleep(Duration::from_millis(10)).await;
        }
        assert!(!old.guard.is_valid() && since.elapsed() > DURATION - MARGIN);
        assert_eq!(old.loses().await, epochs[epochs.len() - 1]);
        epochs.push(new.gains().await.0);
        ways[0].cut(false);
        ways.reverse();
    }
    assert!(epochs.is_sorted_by(|earlier, later| earlier < later), "{epochs:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_overtaken_steps_down() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut keeper = Keeper::start(&store, clock, "pod-1");
    assert_eq!(keeper.gains().await, (SECONDS, false));
    store.with(|kept| {
        kept.change(|lease| {
            lease["spec"]["holderIdentity"] = json!("pod-2");
            lease["metadata"]["annotations"][EPOCH] = json!((SECONDS + 5000).to_string());
        });
    });
    assert_eq!(keeper.loses().await, SECONDS);
    assert!(!keeper.guard.is_valid());
    assert_eq!(keeper.gains().await, (SECONDS + 5001, false));
    assert!(clock.elapsed() >= DURATION);
}

#[tokio::test(start_paused = true)]
async fn a_label_from_somebody_does_not_end_it() {
    let (store, clock) = (Store::default(), Instant::now());
    let mut keeper = Keeper::start(&store, clock, "pod-1");
    keeper.gains().await;
    store.with(|kept| kept.change(|lease| lease["metadata"]["labels"] = json!({"a": "b"})));
    sleep(Duration::from_secs(12)).await;
    assert!(keeper.guard.is_valid() && keeper.inputs.try_recv().is_err());
    let lease = store.with(|kept| kept.lease.clone()).unwrap();
    let found = (&lease["metadata"]["labels"], &lease["spec"]["holderIdentity"]);
    assert_eq!(found, (&json!({"a": "b"}), &json!("pod-1")));
}

/// The same over a connection: made, and given back.
#[tokio::test]
async fn a_lease_in_an_api_server() {
    let store = Store::default();
    let kept = store.clone();
    let fake = FakeServer::start(Limits::default(), move |asked| {
        let answer = match asked.line.split(' ').next() {
            Some("GET") => kept.read(),
            Some("POST") => kept.make(asked.body.clone()),
            _ => kept.merge(&asked.body),
        };
        match answer {
            Ok(lease) => Reply::Json(200, lease.body),
            Err(refusal) => Reply::Text(refusal.code(), None, "no"),
        }
    })
    .await;
    let settings = settings("pod-1");
    let (sink, inputs) = mpsc::channel(10);
    let clock = TestClock(Instant::now());
    let server = Arc::clone(&fake.server);
    let (keeper, guard) = LeaseKeeper::new(server, settings, sink, clock, Chance::seeded(2));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(keeper.run(async {
        let _ = stopped.await;
    }));
    let mut keeper = Keeper { guard, inputs, stop: Some(stop), task };
    assert_eq!(keeper.gains().await, (SECONDS, false));
    keeper.stop().await;
    let lease = store.with(|kept| kept.lease.clone()).unwrap();
    assert_eq!((&lease["spec"]["holderIdentity"], &lease["metadata"]["name"]), (&json!(""), &json!("lease")));
    let path = "/apis/coordination.k8s.io/v1/namespaces/liqo/leases";
    let manager = "?&fieldManager=liqo-controller-manager";
    let expected = [
        format!("GET {path}/lease"),
        format!("POST {path}{manager}"),
        format!("PATCH {path}/lease{manager}"),
    ];
    assert_eq!(fake.lines(), expected);
}

#[test]
fn uids_are_compared_whole() {
    let me: Uid = "pod-1".into();
    let seen = seen("pod-10", 7, 0, 0);
    let step = plan(seen.as_ref(), Me { uid: &me, held: None, may_continue: true }, NOW);
    assert_eq!(step, LeaseStep::Wait { pause: RENEW_EVERY });
}
