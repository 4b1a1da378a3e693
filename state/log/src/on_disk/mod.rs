//! The log on a volume, kept by sled.
//!
//! ```text
//! SledLog ── asks, with a deadline ──► thread: Store ── Generation ── sled, HEAD
//!    │                                    └── rotates ──► next Generation
//!    └── holds LOCK of the Volume
//! ```

mod chunk;
mod generation;
mod head;
mod open;
mod rotate;
mod shed;
mod snapshots;
mod store;
mod verify;
mod volume;
mod worker;

#[cfg(test)]
mod recovery_tests;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use liqo_events::{Envelope, Seq, UnixMillis};

use crate::contract::{check_batch, check_snapshot};
use crate::{EventLog, Failure, LogError, LogStatistics, Retention, Snapshot};
use generation::Generation;
use rotate::Rotation;
use volume::{Lock, Volume};
use worker::Worker;

pub use open::Opening;
pub use volume::Quarantine;

/// How a log on a volume is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long history is kept, and how much of it.
    pub retention: Retention,
    /// Bytes of the store's cache of pages.
    pub cache_bytes: u64,
    /// How long opening may take before the volume is put aside.
    pub open_deadline: Duration,
    /// How long anything else may take before the log counts as failed.
    pub call_deadline: Duration,
}

impl Options {
    /// For a controller manager. A disk that takes two seconds for a sync is slow and not broken, and a rotation writes a
    /// quarter of a gigabyte.
    pub const CONTROLLER: Self = Self {
        retention: Retention::CONTROLLER,
        cache_bytes: 4 * 1024 * 1024,
        open_deadline: Duration::from_secs(30),
        call_deadline: Duration::from_secs(60),
    };

    /// For a virtual kubelet.
    pub const VIRTUAL_KUBELET: Self =
        Self { retention: Retention::VIRTUAL_KUBELET, cache_bytes: 2 * 1024 * 1024, ..Self::CONTROLLER };
}

impl Default for Options {
    fn default() -> Self {
        Self::CONTROLLER
    }
}

/// Events on a volume. Dropping it closes the store and gives the volume free.
pub struct SledLog {
    worker: Option<Worker<Store>>,
    options: Options,
    figures: Figures,
    statistics: LogStatistics,
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

/// What the store's thread owns.
struct Store {
    volume: Volume,
    options: Options,
    generation: Generation,
    /// Chunks that hold what survived a rotation.
    survivors: u64,
    figures: Figures,
}

/// What the log has to know of the store between calls.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    next: Seq,
    covered_to: Option<Seq>,
    chunk_bytes: u64,
    oldest: Option<Seq>,
    snapshot: Option<Seq>,
    disk_bytes: u64,
    retained_bytes: u64,
    generation: u64,
    rotations: u64,
    dropped: u64,
    damaged: u64,
    syncs: u64,
    sync_micros: u64,
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
        let (started, how) = open::open(&volume, &options, now)?;
        Ok(Opened { log: Self::of(started, options, &volume, lock), how })
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
        let started = open::begin_from(&volume, &options, snapshot, now)?;
        Ok(Self::of(started, options, &volume, lock))
    }

    fn of((worker, figures): open::Started, options: Options, volume: &Volume, lock: Lock) -> Self {
        let aside = volume.aside().map_or(0, |aside| aside.len());
        let quarantined = u64::try_from(aside).unwrap_or(u64::MAX);
        let statistics = LogStatistics { quarantined, ..LogStatistics::default() };
        Self { worker: Some(worker), options, figures, statistics, _lock: lock }
    }

    fn ask<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Store) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        self.worker.as_ref().ok_or(Failure::Ended)?.call(self.options.call_deadline, ask)
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // When it does not end in time it is leaked with its store; the volume is given free all the same.
        self.worker.take().map(|worker| worker.end(self.options.call_deadline));
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
        self.figures = self
            .ask(move |store| {
                for chunk in chunks {
                    store.generation.push(chunk)?;
                }
                store.synced()?;
                Ok(store.position())
            })
            .map_err(|source| LogError::Append { first: head.seq, source })?;
        self.statistics.appended_events += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.statistics.appended_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        Ok(())
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, LogError> {
        self.ask(move |store| store.generation.read(from, limit)).map_err(|source| reading(from, source))
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
        self.ask(|store| store.generation.snapshot()).map_err(|source| reading(at, source))
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError> {
        check_snapshot(self.first(), self.figures.next, snapshot)?;
        let (at, bytes) = (snapshot.at, snapshot.to_bytes());
        self.figures = self
            .ask(move |store| {
                store.generation.push_snapshot(at, &bytes)?;
                store.synced()?;
                store.generation.head.sync()?;
                store.figures()
            })
            .map_err(|source| LogError::Keep { at, source })?;
        self.statistics.snapshots += 1;
        Ok(())
    }

    fn collect(&mut self, now: UnixMillis) -> Result<(), LogError> {
        self.figures =
            self.ask(move |store| store.collect(now)).map_err(|source| LogError::Collect { source })?;
        Ok(())
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

impl Store {
    fn synced(&mut self) -> Result<(), Failure> {
        self.figures.sync_micros += self.generation.sync()?;
        self.figures.syncs += 1;
        Ok(())
    }

    /// What changes with each append; costs nothing.
    fn position(&mut self) -> Figures {
        let grown = self.generation.bytes - self.figures.chunk_bytes.min(self.generation.bytes);
        self.figures.retained_bytes += grown;
        // Looked up with each snapshot; the store writes little more than it is given.
        self.figures.disk_bytes += grown;
        self.figures.next = self.generation.next;
        self.figures.covered_to = self.generation.covered_to;
        self.figures.oldest = self.generation.oldest;
        self.figures.chunk_bytes = self.generation.bytes;
        self.figures
    }

    /// Everything anew.
    fn figures(&mut self) -> Result<Figures, Failure> {
        self.position();
        self.figures.snapshot = self.generation.snapshots.at();
        self.figures.disk_bytes = self.generation.disk_bytes()?;
        self.figures.retained_bytes = self.generation.bytes + self.generation.snapshots.live_bytes();
        self.figures.generation = self.generation.number;
        Ok(self.figures)
    }

    fn collect(&mut self, now: UnixMillis) -> Result<Figures, Failure> {
        let plan = rotate::plan(&self.generation, self.survivors, &self.options.retention, now)?;
        if plan.due {
            self.rotate(&plan, now, &mut |_| Ok(()))?;
        }
        self.figures()?;
        if !plan.due {
            self.figures.retained_bytes = plan.live;
        }
        Ok(self.figures)
    }

    fn rotate(
        &mut self,
        plan: &rotate::Plan,
        now: UnixMillis,
        after: rotate::AfterStep<'_>,
    ) -> Result<(), Failure> {
        let rotation = Rotation {
            volume: &self.volume,
            retention: &self.options.retention,
            cache_bytes: self.options.cache_bytes,
            now,
        };
        let rotated = rotation.run(&mut self.generation, plan, after)?;
        self.generation = rotated.generation;
        self.survivors = rotated.copied.survivors;
        self.figures.rotations += 1;
        self.figures.dropped += rotated.copied.dropped;
        self.figures.damaged += rotated.copied.damaged;
        self.figures.sync_micros += rotated.micros;
        self.figures.syncs += 1;
        Ok(())
    }
}
