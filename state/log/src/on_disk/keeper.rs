//! What the store's thread owns, and does when it is asked.

use liqo_events::{Seq, UnixMillis};

use super::Options;
use super::generation::Generation;
use super::rotate::{AfterStep, Plan, Rotation, plan};
use super::volume::Volume;
use crate::Failure;

/// What the store's thread owns.
pub(super) struct Keeper {
    pub(super) volume: Volume,
    pub(super) options: Options,
    pub(super) generation: Generation,
    /// Chunks that hold what survived a rotation.
    pub(super) survivors: u64,
    pub(super) figures: Figures,
}

/// What the log has to know of the store between calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) next: Seq,
    pub(super) covered_to: Option<Seq>,
    pub(super) chunk_bytes: u64,
    pub(super) oldest: Option<Seq>,
    pub(super) snapshot: Option<Seq>,
    pub(super) disk_bytes: u64,
    pub(super) retained_bytes: u64,
    pub(super) generation: u64,
    pub(super) rotations: u64,
    pub(super) dropped: u64,
    pub(super) damaged: u64,
    pub(super) syncs: u64,
    pub(super) sync_micros: u64,
}

impl Keeper {
    /// `survivors` is how many chunks hold what survived a rotation.
    pub(super) fn new(volume: Volume, options: Options, generation: Generation, survivors: u64) -> Self {
        Self { volume, options, generation, survivors, figures: Figures::default() }
    }

    /// Makes what was given to the store durable.
    pub(super) fn synced(&mut self) -> Result<(), Failure> {
        self.figures.sync_micros += self.generation.sync()?;
        self.figures.syncs += 1;
        Ok(())
    }

    /// What changes with each append; costs nothing.
    pub(super) fn position(&mut self) -> Figures {
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
    pub(super) fn figures(&mut self) -> Result<Figures, Failure> {
        self.position();
        self.figures.snapshot = self.generation.snapshots.at();
        self.figures.disk_bytes = self.generation.disk_bytes()?;
        self.figures.retained_bytes = self.generation.bytes + self.generation.snapshots.live_bytes();
        self.figures.generation = self.generation.number;
        Ok(self.figures)
    }

    /// Drops history when that is worth it.
    pub(super) fn collect(&mut self, now: UnixMillis) -> Result<Figures, Failure> {
        let plan = plan(&self.generation, self.survivors, &self.options.retention, now)?;
        if plan.due {
            self.rotate(&plan, now, &mut |_| Ok(()))?;
        }
        self.figures()?;
        if !plan.due {
            self.figures.retained_bytes = plan.live;
        }
        Ok(self.figures)
    }

    /// Writes what is kept into a new generation, and goes on there.
    pub(super) fn rotate(
        &mut self,
        plan: &Plan,
        now: UnixMillis,
        after: AfterStep<'_>,
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
