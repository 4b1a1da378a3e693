//! Figures of a log, for metrics.

use liqo_events::Seq;

/// What a log did since it was opened, and what it holds. Counts and totals, so that rates and means follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStatistics {
    /// Events appended.
    pub appended_events: u64,
    /// Bytes of the events appended, as they are stored.
    pub appended_bytes: u64,
    /// How often the disk was asked to make something durable, and did.
    pub syncs: u64,
    /// Microseconds that this took, all together.
    pub sync_micros: u64,
    /// Bytes that the log takes on the disk; of a log in memory, in memory.
    pub disk_bytes: u64,
    /// Bytes of events and of the snapshot that retention keeps.
    pub retained_bytes: u64,
    /// The oldest event of the history; nothing when there are no events.
    pub oldest: Option<Seq>,
    /// The first event of the dense part.
    pub first: Seq,
    /// The last event.
    pub last: Option<Seq>,
    /// Snapshots kept.
    pub snapshots: u64,
    /// Number of the generation: a log that was begun anew, or written anew to free the disk, has a higher one.
    pub generation: u64,
    /// How often the log was written anew to free the disk.
    pub rotations: u64,
    /// Events that retention or a bound dropped.
    pub dropped_events: u64,
    /// Pieces of history, of some dozen events each, that were found damaged and left out.
    pub damaged_chunks: u64,
    /// Damaged volumes that lie beside the log.
    pub quarantined: u64,
}
