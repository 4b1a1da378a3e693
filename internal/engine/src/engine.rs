//! Starts an engine: opens the log, folds it, and lets the writer task run.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use liqo_domain::{Machine, Writer};
use liqo_events::{Seq, Started, StateDigest, UnixMillis};
use liqo_log::{EventLog, LogError, Snapshot};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::clocks::Clocks;
use crate::error::chain;
use crate::handle::{QUESTIONS, READS, TAIL};
use crate::journal::{Journal, Signs};
use crate::outbox::Outbox;
use crate::recovery::{Recovery, recover};
use crate::writer_task::{Parts, Receivers, Senders, WriterTask};
use crate::{
    Actuator, Authority, Clock, Degradation, EngineError, Handle, Inbox, LogSource, Metrics, OpenedLog,
    Published,
};

/// What an engine runs with.
pub struct Options<A> {
    /// Where its log comes from.
    pub log: Box<dyn LogSource>,
    /// The first event of this process.
    pub started: Started,
    /// Carries its commands out.
    pub actuator: A,
    /// Tells whether it may still act.
    pub authority: Arc<dyn Authority>,
    /// Dates its events.
    pub clock: Arc<dyn Clock>,
    /// Its figures.
    pub metrics: Metrics,
}

impl<A> fmt::Debug for Options<A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options").field("started", &self.started).finish_non_exhaustive()
    }
}

/// An engine that runs.
#[derive(Debug)]
pub struct Running<M: Machine> {
    /// What others need of it.
    pub handle: Handle<M>,
    /// Ends when the engine was stopped and has written everything down, or cannot go on.
    pub task: JoinHandle<Result<(), EngineError>>,
    /// What the start found.
    pub recovery: Recovery,
}

/// The engine of one machine.
#[derive(Debug)]
pub struct Engine<M>(PhantomData<M>);

impl<M: Machine + 'static> Engine<M> {
    /// Opens and folds the log, then runs until [`Handle::stop`] or an error. Never fails because of the log: without
    /// one it begins with nothing, degraded.
    ///
    /// # Errors
    ///
    /// [`EngineError::Task`] when the runtime ends meanwhile.
    pub async fn start<A: Actuator>(options: Options<A>) -> Result<Running<M>, EngineError> {
        let Options { log, started, actuator, authority, clock, metrics } = options;
        let now = clock.wall();
        let opening = spawn_blocking(move || open::<M>(log, now));
        let Start { source, log, writer, recovery } = opening
            .await
            .map_err(|error| EngineError::Task { doing: "open its log", reason: error.to_string() })?;
        report(&recovery, &started.version, &metrics);
        let log = log.map_err(|error| Degradation { since: now, reason: chain(&error) });
        let (journal, signs) = Journal::new(source, log, &recovery, now, metrics.clone());
        let (inbox, deliveries) = Inbox::new();
        let (reads, read_queue) = mpsc::channel(READS);
        let (questions, question_queue) = mpsc::channel(QUESTIONS);
        let (publish, published) = watch::channel(Published { seq: writer.last(), ..Published::default() });
        let (stop, stopped) = watch::channel(false);
        let tail = broadcast::Sender::new(TAIL);
        let Signs { degraded, standing } = signs;
        let handle =
            Handle { inbox, reads, questions, published, degraded, standing, tail: tail.clone(), stop };
        let receivers = Receivers { deliveries, reads: read_queue, questions: question_queue, stopped };
        let senders = Senders { publish, tail };
        let (outbox, clocks) = (Outbox::new(actuator), Clocks::new(clock, authority));
        let parts = Parts { writer, journal, outbox, clocks, metrics, receivers, senders };
        let task = tokio::spawn(WriterTask::new(parts).run(started));
        Ok(Running { handle, task, recovery })
    }
}

struct Start<M: Machine> {
    source: Box<dyn LogSource>,
    /// Nothing could be opened or begun, for this reason.
    log: Result<Box<dyn EventLog>, LogError>,
    writer: Writer<M>,
    recovery: Recovery,
}

/// Opens and folds the log. One that opens and cannot be folded is put aside as well.
fn open<M: Machine>(mut source: Box<dyn LogSource>, now: UnixMillis) -> Start<M> {
    let (log, quarantined) = match source.open() {
        Ok(OpenedLog { log, quarantined, lost }) => match recover(log.as_ref()) {
            Ok((writer, recovery)) => {
                let relist_all = recovery.relist_all || quarantined.is_some() || lost > 0;
                let recovery = Recovery { quarantined, lost, relist_all, ..recovery };
                return Start { source, log: Ok(log), writer, recovery };
            }
            Err(error) => {
                drop(log);
                let nothing = Snapshot::new(Seq::default(), now, StateDigest::default(), Vec::new());
                (source.begin(&nothing), Some(error.to_string()))
            }
        },
        Err(error) => (Err(error), None),
    };
    let recovery = Recovery { quarantined, relist_all: true, ..Recovery::default() };
    Start { source, log, writer: Writer::default(), recovery }
}

/// `version` is that of this program. Fingerprints follow the types of a program, so those of another version mean nothing.
fn report(recovery: &Recovery, version: &str, metrics: &Metrics) {
    let diverged = recovery.diverged_at.filter(|_| recovery.by_another(version).is_none());
    metrics.replayed(recovery.replayed, diverged.is_some());
    if let Some(why) = &recovery.quarantined {
        metrics.quarantined();
        tracing::warn!(why, "the log could not be used and was put aside; everything is listed anew");
    }
    if recovery.lost > 0 {
        tracing::warn!(lost = recovery.lost, "the end of the log is missing; everything is listed anew");
    }
    if let (Some(_), Some(other)) = (recovery.diverged_at, recovery.by_another(version)) {
        tracing::info!(other, "another version wrote the log; everything is listed anew");
    }
    if let Some(seq) = diverged {
        tracing::warn!(%seq, "the log was folded to another state than was recorded; everything is listed anew");
    }
    let last = recovery.last;
    tracing::info!(replayed = recovery.replayed, last = %last, "the log was folded");
}

impl Recovery {
    /// The version of the program that wrote the log, when it is another one than this.
    fn by_another(&self, version: &str) -> Option<&str> {
        self.recorded_by.as_deref().filter(|other| *other != version)
    }

    /// Whether there was nothing to begin with.
    pub fn is_empty(&self) -> bool {
        self.last == Seq::default()
    }
}
