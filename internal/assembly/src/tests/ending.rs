//! What ends a process, and in which order everything in it ends.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::ending::Core;
use crate::services::{Failure, Services};

/// What happened, and how many seconds after the beginning.
#[derive(Clone)]
struct Diary {
    begun: Instant,
    entries: Arc<Mutex<Vec<(&'static str, u64)>>>,
}

impl Diary {
    fn new() -> Self {
        Self { begun: Instant::now(), entries: Arc::default() }
    }

    fn note(&self, what: &'static str) {
        self.entries.lock().unwrap().push((what, self.begun.elapsed().as_secs()));
    }

    fn read(&self) -> Vec<(&'static str, u64)> {
        self.entries.lock().unwrap().clone()
    }

    fn words(&self) -> Vec<&'static str> {
        self.read().into_iter().map(|(what, _)| what).collect()
    }
}

/// Ends after this time, in which nothing happens.
async fn passes(time: Duration) {
    assert!(timeout(time, std::future::pending::<()>()).await.is_err());
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(&'static str);

/// A process with an engine, a Lease and a server.
struct Process {
    diary: Diary,
    services: Services,
    engine: JoinHandle<Result<(), Broken>>,
    lease: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Process {
    /// Its engine needs so long to end.
    fn with_engine(takes: Duration) -> Self {
        let diary = Diary::new();
        let mut services = Services::ready_with(&["engine"]);
        services.passed("engine");
        let (stop, stopped) = oneshot::channel();
        let noted = diary.clone();
        let engine = tokio::spawn(async move {
            stopped.await.map_err(|_| Broken("the engine was forgotten"))?;
            noted.note("the engine stops");
            passes(takes).await;
            noted.note("the engine has ended");
            Ok(())
        });
        let (retired, noted) = (services.retired(), diary.clone());
        let lease = tokio::spawn(async move {
            retired.await;
            noted.note("the lease is given back");
        });
        services.spawn(server(services.stopping(), Duration::ZERO, diary.clone()));
        Self { diary, services, engine, lease, stop }
    }

    async fn until_the_end(self, told: impl Future<Output = io::Result<()>> + Send) -> Result<(), Failure> {
        let (stop, noted, readiness) = (self.stop, self.diary.clone(), self.services.readiness.clone());
        let stop = async move {
            if !readiness.outcome().0 {
                noted.note("the process is not ready");
            }
            let _ = stop.send(());
        };
        let core = Core { stop, engine: self.engine, lease: self.lease };
        self.services.until_the_end(core, told).await
    }
}

/// Serves until it is told to stop, and then takes so long for its last answers.
async fn server(
    mut stopping: watch::Receiver<bool>,
    takes: Duration,
    diary: Diary,
) -> Result<(), Infallible> {
    let _ = stopping.wait_for(|stopping| *stopping).await;
    diary.note("callers are turned away");
    passes(takes).await;
    diary.note("the last is answered");
    Ok(())
}

async fn told_after(seconds: u64) -> io::Result<()> {
    passes(Duration::from_secs(seconds)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_end_is_not_ready_gives_the_lease_back_and_answers_a_little_longer() {
    let process = Process::with_engine(Duration::from_secs(1));
    let diary = process.diary.clone();
    process.until_the_end(told_after(10)).await.unwrap();
    assert_eq!(
        diary.read(),
        [
            ("the process is not ready", 10),
            ("the engine stops", 10),
            ("the engine has ended", 11),
            ("the lease is given back", 11),
            ("callers are turned away", 13),
            ("the last is answered", 13),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_takes_longer_is_waited_for_and_nobody_else() {
    let process = Process::with_engine(Duration::from_secs(8));
    let diary = process.diary.clone();
    process.until_the_end(told_after(0)).await.unwrap();
    let late: Vec<_> = diary.read().into_iter().skip(2).collect();
    assert_eq!(
        late,
        [
            ("the engine has ended", 8),
            ("the lease is given back", 8),
            ("callers are turned away", 8),
            ("the last is answered", 8),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_ends_all_at_once_and_is_the_failure_of_the_process() {
    let mut process = Process::with_engine(Duration::ZERO);
    let diary = process.diary.clone();
    process.services.spawn(async {
        passes(Duration::from_secs(5)).await;
        Err(Broken("the port is gone"))
    });
    let failure = process.until_the_end(std::future::pending()).await.unwrap_err();
    assert_eq!(failure.to_string(), "the port is gone");
    // Nobody took over, so there is nothing to bridge.
    assert!(diary.read().iter().all(|(_, at)| *at == 5), "{:?}", diary.read());
    assert_eq!(
        diary.words(),
        [
            "the process is not ready",
            "the engine stops",
            "the engine has ended",
            "the lease is given back",
            "callers are turned away",
            "the last is answered",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_ends_by_itself_ends_nothing() {
    let mut process = Process::with_engine(Duration::ZERO);
    let diary = process.diary.clone();
    process.services.spawn(async { Ok::<_, Infallible>(()) });
    process.until_the_end(told_after(60)).await.unwrap();
    assert_eq!(diary.read()[0], ("the process is not ready", 60));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_broken_off_ends_all() {
    let mut process = Process::with_engine(Duration::ZERO);
    process.services.tasks.spawn(std::future::pending()).abort();
    let failure = process.until_the_end(std::future::pending()).await.unwrap_err();
    assert!(failure.to_string().contains("cancelled"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_engine_ends_all_and_is_the_failure_of_the_process() {
    let mut process = Process::with_engine(Duration::ZERO);
    let diary = process.diary.clone();
    process.engine.abort();
    process.engine = tokio::spawn(async { Err(Broken("the disk is gone")) });
    let failure = process.until_the_end(std::future::pending()).await.unwrap_err();
    assert_eq!(failure.to_string(), "the disk is gone");
    assert_eq!(
        diary.words(),
        [
            "the process is not ready",
            "the lease is given back",
            "callers are turned away",
            "the last is answered",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
    let mut process = Process::with_engine(Duration::ZERO);
    let diary = process.diary.clone();
    let stopping = process.services.stopping();
    process.services.spawn(server(stopping, Duration::from_secs(3600), diary.clone()));
    process.until_the_end(told_after(0)).await.unwrap();
    // Within what Kubernetes gives a pod, with the time that the engine and the Lease may take.
    assert_eq!(diary.begun.elapsed(), Duration::from_secs(3 + 12));
}
