//! The log behind the writer: one thing at a time, on a thread where it may block, and what happens when it fails.
//!
//! The log moves into the thread with its work and comes back with the result, so nobody can use it meanwhile. After a
//! failure it is thrown away: a log in memory takes over, the process is degraded and says so, and each minute a new
//! generation is tried beside it. That one begins with a snapshot, is given what was appended since, and takes over.

mod succession;

use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{Batch, Checkpoint};
use liqo_events::{Seq, UnixMillis};
use liqo_log::{EventLog, LogError, Snapshot};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::error::chain;
use crate::handle::Question;
use crate::recovery::{Recovery, snapshot};
use crate::{Degradation, EngineError, LogSource, LogStanding, Metrics};
use succession::{Successor, memory};

/// Events given to the log at once. What one input brought stays together up to this; more than that, as a list of
/// thousands of absent objects, is made durable in steps so that no write is unbounded.
const APPEND: usize = 1024;

/// What the log has done.
enum Done {
    Appended {
        took: Duration,
    },
    /// Retention was applied, and a snapshot of this position kept before, unless it could not be.
    Kept(Option<Seq>),
    Answered,
    /// A new generation that begins with a snapshot of this position took over, or could not.
    TookOver(Result<Seq, LogError>),
}

/// What came to an end.
pub(crate) enum Progress {
    /// A batch is durable.
    Durable(Arc<Batch>),
    /// Something else; the log is free, or a new generation is there.
    Other,
}

/// What the journal says of itself to others.
pub(crate) struct Signs {
    pub(crate) degraded: watch::Receiver<Option<Degradation>>,
    pub(crate) standing: watch::Receiver<LogStanding>,
}

/// A log that comes back from its work.
type Worked = (Box<dyn EventLog>, Result<Done, LogError>);
/// A source that comes back from an attempt, with the new generation.
type Attempted = (Box<dyn LogSource>, Result<Box<dyn EventLog>, String>);

/// The log and what stands in for it.
pub(crate) struct Journal {
    /// Away while it works.
    log: Option<Box<dyn EventLog>>,
    work: Option<JoinHandle<Worked>>,
    /// What is being written; needed once more when that fails.
    batch: Option<Arc<Batch>>,
    /// To be kept next.
    checkpoint: Option<Checkpoint>,
    /// When the last batch was cut.
    now: UnixMillis,
    /// Position of the next event that is appended.
    next: Seq,
    /// Away while it makes a new generation. One that never comes back is not asked again.
    source: Option<Box<dyn LogSource>>,
    attempt: Option<(JoinHandle<Attempted>, Seq)>,
    successor: Option<Successor>,
    retry_at: Option<Instant>,
    degraded: watch::Sender<Option<Degradation>>,
    standing: watch::Sender<LogStanding>,
    metrics: Metrics,
}

impl Journal {
    /// A journal on the log that was opened, or on memory for the reason that none could be.
    pub(crate) fn new(
        source: Box<dyn LogSource>,
        log: Result<Box<dyn EventLog>, Degradation>,
        recovery: &Recovery,
        now: UnixMillis,
        metrics: Metrics,
    ) -> (Self, Signs) {
        let next = recovery.last.next();
        let (degraded, degradations) = watch::channel(None);
        let (snapshot, put_aside) = (recovery.snapshot, recovery.quarantined.clone());
        let (standing, standings) =
            watch::channel(LogStanding { snapshot, put_aside, ..LogStanding::default() });
        let (log, degradation) = match log {
            Ok(log) => (log, None),
            Err(degradation) => (memory(next), Some(degradation)),
        };
        let mut journal = Self {
            log: None,
            work: None,
            batch: None,
            checkpoint: None,
            now,
            next,
            source: Some(source),
            attempt: None,
            successor: None,
            retry_at: None,
            degraded,
            standing,
            metrics,
        };
        if let Some(degradation) = degradation {
            journal.degrade(degradation);
        }
        journal.take_back(log);
        (journal, Signs { degraded: degradations, standing: standings })
    }

    pub(crate) fn is_degraded(&self) -> bool {
        self.degraded.borrow().is_some()
    }

    /// Whether the log can be given something to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.log.is_some()
    }

    /// Makes a batch durable. Only when idle.
    pub(crate) fn append(&mut self, mut batch: Batch, now: UnixMillis) {
        self.now = now;
        // Kept after the events, and in memory once: it is as large as the state.
        self.checkpoint = batch.checkpoint.take().or(self.checkpoint.take());
        self.write(Arc::new(batch));
    }

    fn write(&mut self, batch: Arc<Batch>) {
        self.batch = Some(Arc::clone(&batch));
        self.start(move |log| {
            let began = std::time::Instant::now();
            batch.envelopes.chunks(APPEND).try_for_each(|part| log.append(part))?;
            Ok(Done::Appended { took: began.elapsed() })
        });
    }

    /// Answers a question about history. Only when idle.
    pub(crate) fn answer(&mut self, question: Question) {
        self.start(move |log| {
            let events = log.read(question.from, question.limit).unwrap_or_else(|error| {
                tracing::warn!(from = %question.from, %error, "the log's history cannot be read");
                Vec::new()
            });
            // Who asked may have gone.
            drop(question.answer.send(events));
            Ok(Done::Answered)
        });
    }

    /// Does what is due besides batches. Whether there was something.
    pub(crate) fn follow_up(&mut self) -> bool {
        if !self.is_idle() {
            return true;
        }
        if let Some(checkpoint) = self.checkpoint.take() {
            self.keep(checkpoint, self.now);
            return true;
        }
        // Everything up to the snapshot must have reached the log in memory, and what follows is taken from there.
        let ready = self.successor.take_if(|successor| successor.at < self.next);
        if let Some(successor) = ready {
            self.take_over(successor);
            return true;
        }
        false
    }

    fn keep(&mut self, checkpoint: Checkpoint, now: UnixMillis) {
        self.start(move |log| {
            let kept = keep_or_go_on(log, &snapshot(checkpoint))?;
            log.collect(now)?;
            Ok(Done::Kept(kept))
        });
    }

    fn start(&mut self, work: impl FnOnce(&mut dyn EventLog) -> Result<Done, LogError> + Send + 'static) {
        let Some(mut log) = self.log.take() else { return };
        self.work = Some(spawn_blocking(move || {
            let done = work(log.as_mut());
            (log, done)
        }));
    }

    /// Waits for what the log, or a new generation, has to say. For ever when nothing is under way.
    ///
    /// # Errors
    ///
    /// When even memory fails, which is a fault of this program.
    pub(crate) async fn progress(&mut self) -> Result<Progress, EngineError> {
        let (work, attempt) = (&mut self.work, &mut self.attempt);
        tokio::select! {
            done = wait(work.as_mut()) => self.worked(done),
            begun = wait(attempt.as_mut().map(|(attempt, _)| attempt)) => {
                self.attempted(begun);
                Ok(Progress::Other)
            }
        }
    }

    fn worked(&mut self, done: Result<Worked, JoinError>) -> Result<Progress, EngineError> {
        self.work = None;
        let (log, done) = match done {
            Ok((log, Ok(done))) => (log, done),
            Ok((log, Err(error))) => {
                // Closing a failed log may block.
                spawn_blocking(move || drop(log));
                return self.failed(&chain(&error));
            }
            Err(error) => return self.failed(&error.to_string()),
        };
        match &done {
            Done::TookOver(Ok(at)) => self.recovered(*at),
            Done::TookOver(Err(error)) => {
                tracing::warn!(error = %chain(error), "the log's new generation could not take over; trying again");
            }
            Done::Kept(Some(at)) => self.kept(*at),
            Done::Kept(None) | Done::Appended { .. } | Done::Answered => {}
        }
        self.take_back(log);
        let Done::Appended { took } = done else { return Ok(Progress::Other) };
        let Some(batch) = self.batch.take() else { return Ok(Progress::Other) };
        self.next = batch.last.next();
        self.metrics.appended(batch.envelopes.len(), took);
        Ok(Progress::Durable(batch))
    }

    /// The log is free again, and says how it stands.
    fn take_back(&mut self, log: Box<dyn EventLog>) {
        let statistics = log.statistics();
        self.metrics.log(&statistics);
        let last = Seq(log.next().0.saturating_sub(1));
        // What a restart would find does not change while events are in memory only.
        let on_volume = Some(last).filter(|_| !self.is_degraded());
        self.standing.send_modify(|standing| {
            standing.statistics = statistics;
            standing.on_volume = on_volume.unwrap_or(standing.on_volume);
        });
        self.log = Some(log);
    }

    /// Closes the log, which may block.
    pub(crate) async fn close(self) {
        // A log that cannot be closed has nothing to lose: what was acknowledged is durable.
        drop(spawn_blocking(move || drop((self.log, self.successor))).await);
    }
}

/// A snapshot that the log refuses before it writes does not harm the log.
fn keep_or_go_on(log: &mut dyn EventLog, snapshot: &Snapshot) -> Result<Option<Seq>, LogError> {
    match log.keep(snapshot) {
        Err(error @ (LogError::OutOfOrder { .. } | LogError::TooLarge { .. })) => {
            Ok(not_kept(snapshot.at, &error))
        }
        kept => kept.map(|()| Some(snapshot.at)),
    }
}

fn not_kept(at: Seq, error: &dyn std::error::Error) -> Option<Seq> {
    tracing::error!(%at, error = %chain(error), "a state cannot be written down; replays get longer");
    None
}

async fn wait<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}
