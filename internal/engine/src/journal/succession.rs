//! What happens when the log fails: memory takes over, and after a while a new generation on the volume.

use std::time::Duration;

use liqo_domain::Checkpoint;
use liqo_events::{Envelope, Seq};
use liqo_log::{EventLog, LogError, MemoryLimits, MemoryLog, Retention};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

use super::{APPEND, Attempted, Done, Journal, Progress};
use crate::error::chain;
use crate::recovery::snapshot;
use crate::{Degradation, EngineError};

/// Between two tries to get a volume back. A full disk is emptied by people, in minutes.
const RECOVERY: Duration = Duration::from_secs(60);

/// A new generation that waits to take over.
pub(super) struct Successor {
    log: Box<dyn EventLog>,
    /// Position of the snapshot that it begins with.
    pub(super) at: Seq,
}

impl Journal {
    /// The log failed: memory takes over, with what was being written.
    pub(super) fn failed(&mut self, reason: &str) -> Result<Progress, EngineError> {
        if self.is_degraded() {
            return Err(EngineError::Task { doing: "keep events in memory", reason: reason.to_owned() });
        }
        // Of the state before, memory has no events; the next generation begins with a snapshot of its own.
        self.checkpoint = None;
        self.degrade(Degradation { since: self.now, reason: reason.to_owned() });
        self.take_back(memory(self.next));
        if let Some(batch) = self.batch.take() {
            self.write(batch);
        }
        Ok(Progress::Other)
    }

    pub(super) fn degrade(&mut self, degradation: Degradation) {
        tracing::warn!(
            reason = degradation.reason,
            "the log's volume fails: events are kept in memory only, and a new log is tried each minute"
        );
        self.metrics.degraded(true);
        self.degraded.send_replace(Some(degradation));
        self.retry_at = Some(Instant::now() + RECOVERY);
    }

    /// When a new generation is to be tried, for which [`Self::begin`] needs the state.
    pub(crate) fn begin_at(&self) -> Option<Instant> {
        self.retry_at.filter(|_| self.source.is_some() && self.successor.is_none())
    }

    /// Lets the next try be a while from now.
    pub(crate) fn begin_later(&mut self) {
        self.retry_at = Some(Instant::now() + RECOVERY);
    }

    /// Tries a new generation beside the log in memory.
    pub(crate) fn begin(&mut self, checkpoint: Checkpoint) {
        let Some(mut source) = self.source.take() else { return };
        self.begin_later();
        let at = checkpoint.at;
        let attempt = spawn_blocking(move || {
            let begun = source.begin(&snapshot(checkpoint)).map_err(|error| chain(&error));
            (source, begun)
        });
        self.attempt = Some((attempt, at));
    }

    pub(super) fn take_over(&mut self, successor: Successor) {
        let Some(old) = self.log.take() else { return };
        self.work = Some(spawn_blocking(move || {
            let mut log = successor.log;
            match copy(old.as_ref(), log.as_mut()) {
                Ok(()) => (log, Ok(Done::TookOver(Ok(successor.at)))),
                Err(error) => (old, Ok(Done::TookOver(Err(error)))),
            }
        }));
    }

    pub(super) fn attempted(&mut self, begun: Result<Attempted, JoinError>) {
        let Some((_, at)) = self.attempt.take() else { return };
        match begun {
            Ok((source, Ok(log))) => {
                self.source = Some(source);
                self.successor = Some(Successor { log, at });
            }
            Ok((source, Err(reason))) => {
                self.source = Some(source);
                tracing::warn!(reason, "no new log could be begun; trying again in a minute");
            }
            Err(error) => {
                tracing::error!(%error, "the log's volume is given up until the next start");
            }
        }
    }

    /// A snapshot is on the volume, unless the log is in memory.
    pub(super) fn kept(&self, at: Seq) {
        if !self.is_degraded() {
            self.standing.send_modify(|standing| standing.snapshot = Some(at));
        }
    }

    pub(super) fn recovered(&mut self, at: Seq) {
        tracing::info!("events are durable again");
        self.retry_at = None;
        self.metrics.degraded(false);
        self.degraded.send_replace(None);
        self.kept(at);
    }
}

/// Gives the events that one log has and the other lacks.
fn copy(from: &dyn EventLog, to: &mut dyn EventLog) -> Result<(), LogError> {
    while to.next() < from.next() {
        let part: Vec<Envelope> = from.read(to.next(), APPEND)?;
        if part.is_empty() {
            return Err(LogError::OutOfOrder { what: "event", expected: to.next(), found: from.next() });
        }
        // Memory may have forgotten the first ones; then they do not follow, and this fails.
        to.append(&part)?;
    }
    Ok(())
}

/// A log in memory whose first event is `next`.
pub(super) fn memory(next: Seq) -> Box<dyn EventLog> {
    Box::new(MemoryLog::new(next, Retention::default(), MemoryLimits::default()))
}
