//! When the state is written down whole.

use liqo_events::{DecodeError, Envelope, Recorded, Seq, StateDigest, UnixMillis};

/// Replaying 10 000 events takes a fraction of a second, so a restart never waits for longer than that.
pub const CHECKPOINT_EVENTS: u64 = 10_000;

/// A quiet process writes one every 10 minutes, so that old events become history which retention can drop.
pub const CHECKPOINT_MILLIS: u64 = 10 * 60 * 1000;

/// A state as the events that make it, as the log keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last event that is in it.
    pub at: Seq,
    /// When that event was recorded.
    pub recorded_at: UnixMillis,
    /// Its fingerprint.
    pub digest: StateDigest,
    /// Folded from nothing, in this order, they make the state. The fingerprint of the whole is what counts; those in
    /// between mean nothing.
    pub events: Vec<Envelope>,
}

impl Checkpoint {
    /// The events, opened.
    pub fn opened(&self) -> impl Iterator<Item = Result<Recorded, DecodeError>> {
        self.events.iter().map(Envelope::open)
    }
}

/// Tells when the next one is due.
#[derive(Clone, Debug, Default)]
pub(super) struct Cadence {
    events: u64,
    since: u64,
    wanted: bool,
}

impl Cadence {
    pub(super) fn count(&mut self) {
        self.events += 1;
    }

    /// One is due as soon as there is an event to write with it.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) fn is_due(&self, monotonic: u64) -> bool {
        let old = monotonic >= self.since.saturating_add(CHECKPOINT_MILLIS);
        self.events > 0 && (self.wanted || old || self.events >= CHECKPOINT_EVENTS)
    }

    /// When one is due without another event.
    pub(super) fn due_at(&self) -> Option<u64> {
        (self.events > 0).then(|| self.since.saturating_add(CHECKPOINT_MILLIS))
    }

    pub(super) fn taken(&mut self, monotonic: u64) {
        *self = Self { events: 0, since: monotonic, wanted: false };
    }
}
