//! The state that the last process left: snapshot and tail, folded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use liqo_domain::{Checkpoint, Comparison, Machine, Writer};
use liqo_events::{DecodeError, EncodeError, Envelope, Recorded, Seq, StateDigest};
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
    let mut writer = match &snapshot {
        Some(snapshot) => Writer::from_checkpoint(&checkpoint(snapshot)?),
        None => Writer::default(),
    };
    let mut replayed = 0;
    while writer.last().next() < log.next() {
        let page = log.read(writer.last().next(), PAGE)?;
        if page.is_empty() {
            return Err(ReplayError::Gap { expected: writer.last().next() });
        }
        for envelope in page {
            writer
                .replay(&envelope.open()?, envelope.state)
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
        snapshot: snapshot.map(|snapshot| snapshot.at),
        last: writer.last(),
        diverged_at,
        relist_all: diverged_at.is_some(),
        ..Recovery::default()
    };
    Ok((writer, recovery))
}

fn checkpoint(snapshot: &Snapshot) -> Result<Checkpoint, DecodeError> {
    let events: Result<Vec<Recorded>, DecodeError> = snapshot.events.iter().map(Envelope::open).collect();
    Ok(Checkpoint {
        at: snapshot.at,
        recorded_at: snapshot.recorded_at,
        digest: snapshot.digest,
        events: events?,
    })
}

/// A checkpoint as the log keeps it.
pub(crate) fn snapshot(checkpoint: &Checkpoint) -> Result<Snapshot, EncodeError> {
    // The fingerprint of the whole is what counts; those in between mean nothing.
    let seal = |recorded| Envelope::seal(recorded, StateDigest::default(), None);
    let events: Result<Vec<Envelope>, EncodeError> = checkpoint.events.iter().map(seal).collect();
    Ok(Snapshot::new(checkpoint.at, checkpoint.recorded_at, checkpoint.digest, events?))
}
