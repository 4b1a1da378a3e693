//! The log as its user sees it: asks the store's thread, and remembers the figures.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use liqo_events::{Envelope, Seq, UnixMillis};

use super::begin::{Started, begin_from};
use super::keeper::{Figures, Keeper};
use super::open::{Opening, open};
use super::volume::{Lock, Volume};
use super::worker::Worker;
use super::{Options, chunk};
use crate::contract::{check_batch, check_snapshot};
use crate::{EventLog, Failure, LogError, LogStatistics, Snapshot};

/// Events on a volume. Dropping it closes the store and gives the volume free.
pub struct SledLog {
    worker: Option<Worker<Keeper>>,
    options: Options,
    figures: Figures,
    statistics: LogStatistics,
    /// Something did not answer, or writing failed: nothing is written any more, and closing is not waited for.
    failed: AtomicBool,
    volume: Volume,
    _lock: Lock,
}

/// A log, and how its volume was found.
#[derive(Debug)]
pub struct Opened {
    /// The log, ready to be used.
    pub log: SledLog,
    /// How its volume was found.
    pub how: Opening,
}

impl SledLog {
    /// Opens the log in a directory, or begins one there. What cannot be used is put aside, and the log is empty then: how
    /// it was found has to be looked at. `now` names what is put aside.
    ///
    /// A store that does not open in time is given up; its thread is leaked, because no thread can be ended from outside.
    ///
    /// # Errors
    ///
    /// [`LogError::Locked`] when another process uses the volume, [`LogError::Volume`] and [`LogError::Begin`] when it
    /// cannot be used at all: go on with a [`crate::MemoryLog`].
    pub fn open(path: &Path, options: Options, now: UnixMillis) -> Result<Opened, LogError> {
        let (volume, lock) = Volume::lock(path)?;
        let (started, how) = open(&volume, &options, now)?;
        Ok(Opened { log: Self::of(started, options, lock), how })
    }

    /// Begins a new generation from a snapshot, in a volume whose log was thrown away after an error. The next event is the
    /// one after the snapshot. The abandoned generation is put aside, or removed when there is no space otherwise.
    ///
    /// # Errors
    ///
    /// [`LogError::Locked`] when the volume is in use, [`LogError::Volume`], [`LogError::Begin`]: try again later.
    pub fn begin_generation(
        path: &Path,
        options: Options,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Self, LogError> {
        let (volume, lock) = Volume::lock(path)?;
        let started = begin_from(&volume, &options, snapshot, now)?;
        Ok(Self::of(started, options, lock))
    }

    fn of(started: Started, options: Options, lock: Lock) -> Self {
        let Started { worker, figures, volume } = started;
        let aside = volume.aside().map_or(0, |aside| aside.len());
        let quarantined = u64::try_from(aside).unwrap_or(u64::MAX);
        let statistics = LogStatistics { quarantined, ..LogStatistics::default() };
        let failed = AtomicBool::new(false);
        Self { worker: Some(worker), options, figures, statistics, failed, volume, _lock: lock }
    }

    /// Asks the store's thread.
    pub(super) fn ask<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Keeper) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        let answer = self.worker.as_ref().ok_or(Failure::Ended)?.call(self.options.call_deadline, ask);
        if matches!(answer, Err(Failure::TimedOut(_) | Failure::Panicked(_) | Failure::Ended)) {
            self.fail();
        }
        answer
    }

    /// Asks for something to be written, and takes over the figures after it.
    fn write(
        &mut self,
        ask: impl FnOnce(&mut Keeper) -> Result<Figures, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(Failure::Ended);
        }
        self.figures = self.ask(ask).inspect_err(|_| self.fail())?;
        Ok(())
    }

    fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
        self.volume.give_up();
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        if self.failed.load(Ordering::Relaxed) {
            // Perhaps it hangs; then it is leaked with its keeper. The volume is given free all the same.
            worker.abandon();
        } else {
            // When this fails the mark of the last event is older than it could be; the events are durable.
            let _ = worker.call(self.options.call_deadline, |keeper| Ok(keeper.generation.head.sync()?));
            worker.end(self.options.call_deadline);
        }
        self.volume.give_up();
    }
}

impl fmt::Debug for SledLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SledLog").field("options", &self.options).field("figures", &self.figures).finish()
    }
}

impl EventLog for SledLog {
    fn append(&mut self, batch: &[Envelope]) -> Result<(), LogError> {
        check_batch(self.figures.next, batch)?;
        let Some(head) = batch.first() else { return Ok(()) };
        let first = self.figures.covered_to.unwrap_or(head.seq);
        let chunks = chunk::pack(batch, Some(first), self.figures.chunk_bytes);
        let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        self.write(move |keeper| {
            for chunk in chunks {
                keeper.generation.push(chunk)?;
            }
            keeper.synced()?;
            Ok(keeper.position())
        })
        .map_err(|source| LogError::Append { first: head.seq, source })?;
        self.statistics.appended_events += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.statistics.appended_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        Ok(())
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, LogError> {
        self.ask(move |keeper| keeper.generation.read(from, limit)).map_err(|source| reading(from, source))
    }

    fn first(&self) -> Seq {
        let after_snapshot = self.figures.snapshot.map(Seq::next);
        after_snapshot.or(self.figures.oldest).unwrap_or(self.figures.next)
    }

    fn last(&self) -> Option<Seq> {
        self.figures.oldest.and(self.figures.covered_to).map(|next| Seq(next.0 - 1))
    }

    fn next(&self) -> Seq {
        self.figures.next
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, LogError> {
        let at = self.figures.snapshot.unwrap_or_default();
        self.ask(|keeper| keeper.generation.snapshot()).map_err(|source| reading(at, source))
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError> {
        check_snapshot(self.first(), self.figures.next, snapshot)?;
        let (at, bytes) = (snapshot.at, snapshot.to_bytes());
        self.write(move |keeper| {
            keeper.generation.push_snapshot(at, &bytes)?;
            keeper.synced()?;
            keeper.generation.head.sync()?;
            keeper.figures()
        })
        .map_err(|source| LogError::Keep { at, source })?;
        self.statistics.snapshots += 1;
        Ok(())
    }

    fn collect(&mut self, now: UnixMillis) -> Result<(), LogError> {
        self.write(move |keeper| keeper.collect(now)).map_err(|source| LogError::Collect { source })
    }

    fn statistics(&self) -> LogStatistics {
        let figures = &self.figures;
        LogStatistics {
            syncs: figures.syncs,
            sync_micros: figures.sync_micros,
            disk_bytes: figures.disk_bytes,
            retained_bytes: figures.retained_bytes,
            oldest: figures.oldest,
            first: self.first(),
            last: self.last(),
            generation: figures.generation,
            rotations: figures.rotations,
            dropped_events: figures.dropped,
            damaged_chunks: figures.damaged,
            ..self.statistics
        }
    }
}

fn reading(from: Seq, source: Failure) -> LogError {
    match source {
        Failure::Damaged { at, reason } => LogError::Damaged { at, reason },
        source => LogError::Read { from, source },
    }
}
