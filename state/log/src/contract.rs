//! What a log promises. [`crate::MemoryLog`] and [`crate::SledLog`] pass the same suite.

use liqo_events::{Envelope, MAX_PAYLOAD, Seq, UnixMillis};

use crate::{LogError, LogStatistics, Snapshot};

/// The events of one process, durable, in order, without gaps.
///
/// ```text
///   history (sparse, by retention)      dense: replay reads it         not yet
///  ├────────────·──·───────·─────────┤├──────────────────────────────┤├ ─ ─ ─
///  oldest                 snapshot.at  first()              last()     next()
/// ```
///
/// The newest snapshot and the dense part together make the state. Calls block; the caller runs them on a thread of its
/// own. After [`LogError::Append`], [`LogError::Keep`] and [`LogError::Collect`] the log must be thrown away: what it
/// holds in memory and what is on the disk may differ. After the other errors it goes on as it was.
pub trait EventLog: Send {
    /// Appends events that follow each other and the last one. When it returns they survive a crash of the machine,
    /// all of them; when it fails, none or the first ones of them may be there after a restart, without a gap.
    ///
    /// # Errors
    ///
    /// [`LogError::OutOfOrder`] and [`LogError::TooLarge`], and nothing was written; [`LogError::Append`].
    fn append(&mut self, batch: &[Envelope]) -> Result<(), LogError>;

    /// Up to `limit` events from `from` on, in order. Events before the dense part may have been dropped by retention.
    /// Fewer than `limit` means that there are no more.
    ///
    /// # Errors
    ///
    /// [`LogError::Damaged`] when a stored event is not what was written, [`LogError::Read`].
    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, LogError>;

    /// The first event of the dense part: everything from it to [`Self::last`] is there. Without events it is the
    /// position of the next one.
    fn first(&self) -> Seq;

    /// The last durable event that is there; nothing when there are no events. New ones go on from [`Self::next`].
    fn last(&self) -> Option<Seq>;

    /// The position of the next event that is appended.
    fn next(&self) -> Seq;

    /// The newest snapshot that is whole.
    ///
    /// # Errors
    ///
    /// [`LogError::Damaged`], [`LogError::Read`].
    fn snapshot(&self) -> Result<Option<Snapshot>, LogError>;

    /// Keeps a snapshot durably. Events up to it become history: retention may drop them.
    ///
    /// # Errors
    ///
    /// [`LogError::OutOfOrder`] when the snapshot is of a position that the log does not have, and nothing was written;
    /// [`LogError::Keep`].
    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError>;

    /// Drops history by age and size, and gives the disk what it can. Called now and then, and after [`Self::keep`].
    /// Dense events and the newest snapshot stay.
    ///
    /// # Errors
    ///
    /// [`LogError::Collect`].
    fn collect(&mut self, now: UnixMillis) -> Result<(), LogError>;

    /// Figures for metrics. Touches no disk.
    fn statistics(&self) -> LogStatistics;
}

/// Refuses a batch that does not follow or does not fit, before anything is written.
pub(crate) fn check_batch(next: Seq, batch: &[Envelope]) -> Result<(), LogError> {
    let mut expected = next;
    for envelope in batch {
        if envelope.seq != expected {
            return Err(LogError::OutOfOrder { what: "event", expected, found: envelope.seq });
        }
        if envelope.payload.len() > MAX_PAYLOAD {
            let bytes = envelope.payload.len();
            return Err(LogError::TooLarge { seq: envelope.seq, bytes, limit: MAX_PAYLOAD });
        }
        expected = expected.next();
    }
    Ok(())
}

/// Refuses a snapshot that the dense part does not continue.
pub(crate) fn check_snapshot(first: Seq, next: Seq, snapshot: &Snapshot) -> Result<(), LogError> {
    let found = snapshot.at;
    let last = Seq(next.0.saturating_sub(1));
    if found > last || found.next() < first {
        return Err(LogError::OutOfOrder { what: "snapshot of", expected: last, found });
    }
    Ok(())
}
