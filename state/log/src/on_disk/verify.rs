//! Judges what a store has when it is opened.
//!
//! Read in full: the newest snapshot, and all events after it, which together make the state. The history before is
//! judged when it is read: a quarter of a gigabyte would hold up every start. The first chunk that is missing or wrong ends
//! the log: when nothing valid follows it is a torn tail, else the file was damaged.

use liqo_events::Seq;

use super::chunk::{self, Header};
use super::generation::Generation;
use super::head::Mark;
use crate::Failure;

/// What was found in a store that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// Events that were there, and are there no more.
    pub(super) lost: u64,
}

/// Reads what replay needs, cuts a torn tail off, and sets the generation's position.
pub(super) fn verify(generation: &mut Generation, mark: Option<Mark>) -> Result<Verified, Failure> {
    // Without a mark, nothing is known to be missing.
    let mark = mark.unwrap_or_default();
    let at = generation.snapshot()?.map(|snapshot| snapshot.at).unwrap_or_default();
    if at < mark.snapshot {
        return Err(Failure::damaged(mark.snapshot, format!("the snapshot of {} is gone", mark.snapshot)));
    }
    let dense = first_dense(generation, at)?;
    let torn = walk(generation, dense, at)?;
    let cut = torn.map_or(0, |from| generation.chunks.len() - from);
    if let Some(from) = torn {
        generation.chunks.cut(from)?;
        generation.sync()?;
    }
    settle(generation, at)?;
    let last = Seq(generation.next.0 - 1);
    let missing = mark.last.0.saturating_sub(last.0);
    if missing > 0 && generation.chunks.len() == 0 && at == Seq::default() {
        return Err(Failure::damaged(mark.last, "all events are gone"));
    }
    // A chunk that was cut had at least one event.
    Ok(Verified { lost: missing.max(cut) })
}

/// The chunk with the first event after the snapshot.
fn first_dense(generation: &Generation, at: Seq) -> Result<u64, Failure> {
    if at == Seq::default() {
        return Ok(0);
    }
    // Chunks at the end may be torn, so they are no place to search in: whole ones are found from the end.
    let mut index = generation.chunks.len();
    while index > 0 {
        match generation.chunk(index - 1) {
            Ok((header, _)) if header.last <= at => break,
            Err(newer @ Failure::NewerVersion(_)) => return Err(newer),
            _ => index -= 1,
        }
    }
    Ok(index)
}

/// Reads everything from a chunk on. Gives back the first one that is not what it should be, when nothing valid follows.
fn walk(generation: &Generation, dense: u64, at: Seq) -> Result<Option<u64>, Failure> {
    let mut before = if dense == 0 { None } else { Some(generation.chunk(dense - 1)?.0) };
    for index in dense..generation.chunks.len() {
        match sound(generation, index, before.as_ref(), at) {
            Ok(header) => before = Some(header),
            Err(newer @ Failure::NewerVersion(_)) => return Err(newer),
            Err(damage) => return torn_or(damage, generation, index),
        }
    }
    Ok(None)
}

fn torn_or(damage: Failure, generation: &Generation, index: u64) -> Result<Option<u64>, Failure> {
    let followed = (index + 1..generation.chunks.len()).any(|later| generation.chunk(later).is_ok());
    if followed || !matches!(damage, Failure::Damaged { .. }) { Err(damage) } else { Ok(Some(index)) }
}

/// Whether a chunk continues the one before, and has all of its events after the snapshot.
fn sound(generation: &Generation, index: u64, before: Option<&Header>, at: Seq) -> Result<Header, Failure> {
    let (header, bytes) = generation.chunk(index)?;
    let events = chunk::events(&header, &bytes)?;
    let expected = before.map_or(at.next().min(header.first), |before| before.last.next());
    if header.first != expected {
        return Err(Failure::damaged(expected, format!("events {expected} and on are gone")));
    }
    let from = header.first.max(at.next());
    let dense = events.iter().filter(|envelope| envelope.seq >= from).count();
    if u64::try_from(dense).unwrap_or(u64::MAX) != header.last.next().0.saturating_sub(from.0) {
        return Err(Failure::damaged(from, "an event after the snapshot is gone"));
    }
    Ok(header)
}

/// Sets the position after the last chunk.
fn settle(generation: &mut Generation, at: Seq) -> Result<(), Failure> {
    let count = generation.chunks.len();
    let last = if count == 0 { None } else { Some(generation.chunk(count - 1)?) };
    generation.oldest = if count == 0 { None } else { Some(generation.chunk(0)?.0.first) };
    generation.covered_to = last.as_ref().map(|(header, _)| header.last.next());
    generation.bytes = last
        .as_ref()
        .map_or(0, |(header, bytes)| header.before + u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    generation.next = generation.covered_to.unwrap_or(Seq::FIRST).max(at.next());
    Ok(())
}
