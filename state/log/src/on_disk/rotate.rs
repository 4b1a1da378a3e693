//! Trims history: writes what is kept into a new generation, and switches to it.
//!
//! ```text
//!  │ long-lived events of what expired │ everything since │ after the snapshot │
//!  0                              recent                dense              len()
//! ```
//!
//! A crash between any two [`Step`]s leaves either the old generation or the new one, whole.

use liqo_events::{Envelope, Seq, UnixMillis};

use super::chunk::{FULL, Header, Packed, Packer};
use super::generation::Generation;
use super::volume::Volume;
use crate::{Failure, Retention};

/// Garbage that is not worth a rotation, whatever the rest is: two segments of the store.
const WORTH_BYTES: u64 = 8 * 1024 * 1024;
/// Chunks of few events that are not worth a rotation either. The store holds about a hundred bytes in memory for each.
const WORTH_CHUNKS: u64 = 1 << 16;

/// What was done. Named for tests that stop after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The new generation is there, empty.
    Created,
    /// Everything that is kept was given to it.
    Copied,
    /// It is durable.
    Synced,
    /// The name of the new generation is written, and does not count yet.
    Prepared,
    /// It counts.
    Switched,
    /// The old generation is removed.
    Removed,
}

/// Called after each step; an error stops there, as a crash would.
pub(super) type AfterStep<'a> = &'a mut dyn FnMut(Step) -> Result<(), Failure>;

/// What may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The first chunk of which all events are kept.
    recent: u64,
    /// The first chunk that has events after the snapshot.
    dense: u64,
    /// Bytes that a rotation would give back, at most.
    pub(super) garbage: u64,
    /// Bytes that stay.
    pub(super) live: u64,
    /// Whether a rotation is worth it.
    pub(super) due: bool,
}

/// Judges what a generation has by age and size. `survivors` is how many chunks at its beginning hold nothing but what
/// survived an earlier rotation.
pub(super) fn plan(
    generation: &Generation,
    survivors: u64,
    retention: &Retention,
    now: UnixMillis,
) -> Result<Plan, Failure> {
    let count = generation.chunks.len();
    let at = generation.snapshot_at();
    let dense = generation.search(0, |header| header.last > at)?;
    let history_end = offset(generation, dense)?;
    let fits = |header: &Header| history_end - header.before.min(history_end) <= retention.recent_bytes();
    let young = |header: &Header| !retention.short_expired(header.newest, now);
    let recent =
        generation.search(survivors, |header| fits(header) && young(header))?.min(dense).max(survivors);
    let snapshots = &generation.snapshots;
    let dropped = offset(generation, recent)?.saturating_sub(offset(generation, survivors)?);
    let garbage = dropped + snapshots.dead_bytes();
    let live = generation.bytes - dropped + snapshots.live_bytes();
    let overdue = recent > survivors && {
        let oldest = generation.header_from(survivors, count)?;
        oldest.is_some_and(|(_, oldest)| now.since(oldest.newest) / 2 > retention.short_millis)
    };
    let small = dense - survivors.min(dense) > WORTH_CHUNKS
        && history_end / dense.max(1) < u64::try_from(FULL / 4).unwrap_or(0);
    Ok(Plan { recent, dense, garbage, live, due: garbage > live / 2 + WORTH_BYTES || overdue || small })
}

/// Bytes of the chunks before one.
fn offset(generation: &Generation, index: u64) -> Result<u64, Failure> {
    let header = generation.header_from(index, generation.chunks.len())?;
    Ok(header.map_or(generation.bytes, |(_, header)| header.before))
}

/// What was written into a new generation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Copied {
    /// Chunks that hold what survived.
    pub(super) survivors: u64,
    /// Events that were dropped.
    pub(super) dropped: u64,
    /// Chunks of history that were damaged and left out.
    pub(super) damaged: u64,
}

/// A generation after a rotation.
#[derive(Debug)]
pub(super) struct Rotated {
    pub(super) generation: Generation,
    pub(super) copied: Copied,
    /// Microseconds that syncing took.
    pub(super) micros: u64,
}

/// How to rotate.
#[derive(Debug)]
pub(super) struct Rotation<'a> {
    pub(super) volume: &'a Volume,
    pub(super) retention: &'a Retention,
    pub(super) cache_bytes: u64,
    pub(super) now: UnixMillis,
}

impl Rotation<'_> {
    /// Writes the new generation, switches to it and removes the old one.
    pub(super) fn run(
        &self,
        old: &mut Generation,
        plan: &Plan,
        after: AfterStep<'_>,
    ) -> Result<Rotated, Failure> {
        let number = old.number + 1;
        // One that a crash left behind.
        self.volume.change(|volume| volume.remove_generations_but(Some(old.number)))?;
        let path = self.volume.generation(number);
        let mut new = Generation::create(&path, number, self.cache_bytes, old.next)?;
        after(Step::Created)?;
        let copied = self.copy(old, plan, &mut new)?;
        after(Step::Copied)?;
        let micros = new.sync_all()?;
        super::volume::sync_directory(self.volume.path())?;
        after(Step::Synced)?;
        self.volume.change(|volume| volume.prepare_current(number))?;
        after(Step::Prepared)?;
        self.volume.change(Volume::switch_current)?;
        after(Step::Switched)?;
        self.volume.change(|volume| volume.remove_generations_but(Some(number)))?;
        after(Step::Removed)?;
        Ok(Rotated { generation: new, copied, micros })
    }

    fn copy(&self, old: &mut Generation, plan: &Plan, new: &mut Generation) -> Result<Copied, Failure> {
        let mut packer = Packer::new(None, 0);
        let mut copied = Copied::default();
        let begin = self.first_survivor(old, plan)?;
        for index in 0..plan.recent {
            for envelope in history(old, index, &mut copied)? {
                if index >= begin && self.retention.survives(&envelope, self.now) {
                    give(new, packer.push(&envelope))?;
                } else {
                    copied.dropped += 1;
                }
            }
        }
        give(new, packer.finish())?;
        copied.survivors = new.chunks.len();
        for index in plan.recent..plan.dense {
            for envelope in history(old, index, &mut copied)? {
                give(new, packer.push(&envelope))?;
            }
        }
        // What may have holes does not share a chunk with what replay reads.
        give(new, packer.finish())?;
        for index in plan.dense..old.chunks.len() {
            for envelope in old.chunk_of_many(index)?.1 {
                give(new, packer.push(&envelope))?;
            }
        }
        give(new, packer.finish())?;
        if let Some(snapshot) = old.snapshot()? {
            new.push_snapshot(snapshot.at, &snapshot.to_bytes())?;
        }
        new.next = old.next;
        Ok(copied)
    }

    /// The first chunk whose survivors, with all later ones, fit into their part of the window.
    fn first_survivor(&self, old: &mut Generation, plan: &Plan) -> Result<u64, Failure> {
        let mut budget = self.retention.survivor_bytes();
        for index in (0..plan.recent).rev() {
            let events = history(old, index, &mut Copied::default())?;
            let survive = events.iter().filter(|envelope| self.retention.survives(envelope, self.now));
            let bytes: usize = survive.map(|envelope| envelope.to_bytes().len()).sum();
            match budget.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) {
                Some(rest) => budget = rest,
                None => return Ok(index + 1),
            }
        }
        Ok(0)
    }
}

/// The events of a chunk that replay does not need; none when it is damaged.
fn history(old: &mut Generation, index: u64, copied: &mut Copied) -> Result<Vec<Envelope>, Failure> {
    match old.chunk_of_many(index) {
        Ok((_, events)) => Ok(events),
        Err(Failure::Damaged { .. }) => {
            copied.damaged += 1;
            Ok(Vec::new())
        }
        Err(failure) => Err(failure),
    }
}

fn give(new: &mut Generation, packed: Option<Packed>) -> Result<(), Failure> {
    packed.map_or(Ok(()), |packed| new.push(packed))
}

/// How many chunks at the beginning are sparse. A guess where few events are left, which at worst causes a rotation.
pub(super) fn guess_survivors(generation: &Generation) -> Result<u64, Failure> {
    let at: Seq = generation.snapshot_at();
    generation.search(0, |header| !header.is_sparse() || header.last > at)
}
