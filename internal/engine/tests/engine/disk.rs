//! A disk that outlives the engine, with a log on it that waits or fails when it is told to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use liqo_engine::{LogSource, OpenedLog};
use liqo_events::{Envelope, Event, LeaseLost, Recorded, Seq, StateDigest, UnixMillis};
use liqo_log::{EventLog, Failure, LogError, LogStatistics, MemoryLog, Snapshot};
use tokio::sync::watch;

/// The disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    content: Mutex<Content>,
    free: Condvar,
    /// Writes that have begun.
    begun: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Content {
    log: MemoryLog,
    /// Sizes of the batches that were appended.
    batches: Vec<usize>,
    blocked: bool,
    broken: bool,
    generations: u32,
    attempts: u32,
    collections: u32,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let begun = watch::Sender::new(0);
        Self(Arc::new(Inner { content: Mutex::default(), free: Condvar::new(), begun }))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.content.lock().unwrap()
    }

    /// Every write waits until what this gives is dropped, be it because a test fails.
    pub(crate) fn block(&self) -> Blocked {
        self.content().blocked = true;
        Blocked(self.clone())
    }

    fn when_free(&self) -> MutexGuard<'_, Content> {
        self.0.begun.send_modify(|begun| *begun += 1);
        let free = self.0.free.wait_while(self.content(), |content| content.blocked);
        free.unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every append fails, and no generation can be begun.
    pub(crate) fn break_down(&self) {
        self.content().broken = true;
    }

    pub(crate) fn repair(&self) {
        self.content().broken = false;
    }

    /// Waits until another write begins than those that began before this call.
    pub(crate) fn next_write(&self) -> impl Future<Output = ()> + use<> {
        let mut begun = self.0.begun.subscribe();
        async move { begun.changed().await.unwrap() }
    }

    pub(crate) fn batches(&self) -> Vec<usize> {
        self.content().batches.clone()
    }

    pub(crate) fn generations(&self) -> u32 {
        self.content().generations
    }

    /// How often a new generation was tried.
    pub(crate) fn attempts(&self) -> u32 {
        self.content().attempts
    }

    /// How often retention was asked for.
    pub(crate) fn collections(&self) -> u32 {
        self.content().collections
    }

    pub(crate) fn events(&self) -> Vec<Envelope> {
        self.content().log.read(Seq::FIRST, usize::MAX).unwrap()
    }

    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        self.content().log.snapshot().unwrap()
    }

    /// The names of the events on it.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.events().iter().map(|envelope| envelope.open().unwrap().event.name()).collect()
    }

    /// Puts a record on it that no event can be read from.
    pub(crate) fn damage(&self) {
        let next = self.content().log.next();
        let event = Event::LeaseLost(LeaseLost { epoch: 0 });
        let recorded = Recorded { seq: next, recorded_at: UnixMillis(0), caused_by: None, event };
        let sealed = Envelope::seal(&recorded, StateDigest(0), None).unwrap();
        self.content().log.append(&[Envelope { payload: vec![255; 9].into(), ..sealed }]).unwrap();
    }

    /// Puts an event on it behind everybody's back.
    pub(crate) fn add(&self, event: Event) {
        let next = self.content().log.next();
        let recorded = Recorded { seq: next, recorded_at: UnixMillis(0), caused_by: None, event };
        self.content().log.append(&[Envelope::seal(&recorded, StateDigest(0), None).unwrap()]).unwrap();
    }
}

/// As long as it lives, writes wait.
#[derive(Debug)]
#[must_use]
pub(crate) struct Blocked(Disk);

impl Drop for Blocked {
    fn drop(&mut self) {
        self.0.content().blocked = false;
        self.0.0.free.notify_all();
    }
}

/// The log on the disk.
struct LogOnDisk(Disk);

impl EventLog for LogOnDisk {
    fn append(&mut self, batch: &[Envelope]) -> Result<(), LogError> {
        let mut content = self.0.when_free();
        if content.broken {
            let first = batch.first().map(|envelope| envelope.seq).unwrap_or_default();
            return Err(LogError::Append { first, source: Failure::Store("input/output error".to_owned()) });
        }
        content.batches.push(batch.len());
        content.log.append(batch)
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, LogError> {
        self.0.content().log.read(from, limit)
    }

    fn first(&self) -> Seq {
        self.0.content().log.first()
    }

    fn last(&self) -> Option<Seq> {
        self.0.content().log.last()
    }

    fn next(&self) -> Seq {
        self.0.content().log.next()
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, LogError> {
        self.0.content().log.snapshot()
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError> {
        self.0.content().log.keep(snapshot)
    }

    fn collect(&mut self, now: UnixMillis) -> Result<(), LogError> {
        let mut content = self.0.content();
        content.collections += 1;
        content.log.collect(now)
    }

    fn statistics(&self) -> LogStatistics {
        self.0.content().log.statistics()
    }
}

impl LogSource for Disk {
    fn open(&mut self) -> Result<OpenedLog, LogError> {
        if self.content().broken {
            return Err(broken());
        }
        Ok(OpenedLog { log: Box::new(LogOnDisk(self.clone())), quarantined: None, lost: 0 })
    }

    fn begin(&mut self, snapshot: &Snapshot) -> Result<Box<dyn EventLog>, LogError> {
        self.content().attempts += 1;
        let mut content = self.when_free();
        if content.broken {
            return Err(broken());
        }
        content.generations += 1;
        content.log = MemoryLog::new(snapshot.at.next(), Default::default(), Default::default());
        if snapshot.at != Seq::default() {
            content.log.keep(snapshot)?;
        }
        Ok(Box::new(LogOnDisk(self.clone())))
    }
}

fn broken() -> LogError {
    LogError::Begin { path: "/volume/gen-2".into(), source: Failure::Store("input/output error".to_owned()) }
}
