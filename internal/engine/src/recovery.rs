//! The state that the last process left: snapshot and tail, folded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use liqo_domain::{Checkpoint, Comparison, Machine, Writer};
use liqo_events::{DecodeError, Envelope, Event, Recorded, Seq};
use liqo_log::{EventLog, LogError, Snapshot};
use thiserror::Error;

/// Events that are read from the log at once: some megabytes.
const PAGE: usize = 1024;

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Events that were folded, those of the snapshot not counted.
    pub replayed: u64,
    /// Position of the snapshot that was folded before them, if there was one.
    pub snapshot: Option<Seq>,
    /// The last event of the log; 0 when it was empty.
    pub last: Seq,
    /// From where on the replay gave other states than were recorded.
    pub diverged_at: Option<Seq>,
    /// Version of the program that recorded those states, as far as the log says it.
    pub recorded_by: Option<String>,
    /// Why an earlier log was put aside.
    pub quarantined: Option<String>,
    /// Events at the end of the log that were durable once and are there no more.
    pub lost: u64,
    /// Whether every watch must be listed anew, whatever its cursor says: something of the log is missing or differs.
    pub relist_all: bool,
}

/// Why a log that opens is of no use.
#[derive(Debug, Error)]
pub(crate) enum ReplayError {
    #[error("its events cannot be read: {0}")]
    Read(#[from] LogError),
    #[error("its events cannot be decoded: {0}")]
    Decode(#[from] DecodeError),
    #[error("event {expected} is missing")]
    Gap { expected: Seq },
    #[error("folding them panicked, which is a fault of Liqo")]
    Panicked,
}

/// Folds a log, and survives a fold that panics: a log must not stop the process again and again.
pub(crate) fn recover<M: Machine>(log: &dyn EventLog) -> Result<(Writer<M>, Recovery), ReplayError> {
    // What the panic left behind is dropped.
    catch_unwind(AssertUnwindSafe(|| replay(log))).unwrap_or(Err(ReplayError::Panicked))
}

/// Gives the writer that goes on from there, and what was found.
fn replay<M: Machine>(log: &dyn EventLog) -> Result<(Writer<M>, Recovery), ReplayError> {
    let snapshot = log.snapshot()?;
    let snapshot_at = snapshot.as_ref().map(|snapshot| snapshot.at);
    let mut recorded_by = None;
    snapshot.iter().flat_map(|snapshot| &snapshot.events).for_each(|event| note(event, &mut recorded_by));
    let mut writer = match snapshot {
        Some(snapshot) => Writer::from_checkpoint(checkpoint(snapshot))?,
        None => Writer::default(),
    };
    let mut replayed = 0;
    while writer.last().next() < log.next() {
        let page = log.read(writer.last().next(), PAGE)?;
        if page.is_empty() {
            return Err(ReplayError::Gap { expected: writer.last().next() });
        }
        for envelope in page {
            if writer.comparison() == Comparison::Equal {
                note(&envelope, &mut recorded_by);
            }
            writer
                .replay(envelope.open()?, envelope.state)
                .map_err(|expected| ReplayError::Gap { expected })?;
            replayed += 1;
        }
    }
    let diverged_at = match writer.comparison() {
        Comparison::Equal => None,
        Comparison::Differs(seq) => Some(seq),
    };
    let recovery = Recovery {
        replayed,
        snapshot: snapshot_at,
        last: writer.last(),
        diverged_at,
        recorded_by,
        relist_all: diverged_at.is_some(),
        ..Recovery::default()
    };
    Ok((writer, recovery))
}

/// Remembers which version of the program the log says that it was written by.
fn note(envelope: &Envelope, recorded_by: &mut Option<String>) {
    // Of everything else the payload need not be read twice.
    if Event::kind_name(envelope.kind) == Some("Started")
        && let Ok(Recorded { event: Event::Started(started), .. }) = envelope.open()
    {
        *recorded_by = Some(started.version);
    }
}

fn checkpoint(snapshot: Snapshot) -> Checkpoint {
    let Snapshot { at, recorded_at, digest, events, .. } = snapshot;
    Checkpoint { at, recorded_at, digest, events }
}

/// A checkpoint as the log keeps it.
pub(crate) fn snapshot(checkpoint: Checkpoint) -> Snapshot {
    Snapshot::new(checkpoint.at, checkpoint.recorded_at, checkpoint.digest, checkpoint.events)
}
