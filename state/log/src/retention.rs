//! How long history is kept, and how much of it.

use liqo_events::{Envelope, Retention as Class, UnixMillis};

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;
const MIB: u64 = 1024 * 1024;

/// Bounds of the history. Events after the newest snapshot are no history and never dropped.
///
/// Retention frees the disk; it does not erase: an event may be read for some time after it could have been dropped, at
/// most for once more as long as events of a day are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Milliseconds that ordinary events are kept.
    pub short_millis: u64,
    /// Milliseconds that choices and destructive events are kept.
    pub long_millis: u64,
    /// Bytes of history. Above them the oldest ordinary events go first. Choices may take a quarter, so that neither a
    /// flood of observations drops them nor they the observations.
    pub window_bytes: u64,
}

impl Retention {
    /// For a controller manager: a day, a month, 256 MiB. That is a quarter of a million events of 1 KiB, or 3 events a
    /// second for the whole day.
    pub const CONTROLLER: Self =
        Self { short_millis: DAY_MILLIS, long_millis: 30 * DAY_MILLIS, window_bytes: 256 * MIB };

    /// For a virtual kubelet, of which there is one a peer: the same ages in 32 MiB.
    pub const VIRTUAL_KUBELET: Self = Self { window_bytes: 32 * MIB, ..Self::CONTROLLER };

    /// Bytes of the window that long-lived events older than the rest may take.
    pub(crate) fn survivor_bytes(&self) -> u64 {
        self.window_bytes / 4
    }

    /// Bytes of the window for everything else.
    pub(crate) fn recent_bytes(&self) -> u64 {
        self.window_bytes - self.survivor_bytes()
    }

    /// Whether an ordinary event of this age may go.
    pub(crate) fn short_expired(&self, recorded_at: UnixMillis, now: UnixMillis) -> bool {
        now.since(recorded_at) > self.short_millis
    }

    /// Whether an event survives where ordinary ones are dropped.
    pub(crate) fn survives(&self, envelope: &Envelope, now: UnixMillis) -> bool {
        // What this version does not know may be a choice of a newer one.
        let class = envelope.open().map_or(Class::Long, |recorded| recorded.event.retention());
        class == Class::Long && now.since(envelope.recorded_at) <= self.long_millis
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::CONTROLLER
    }
}
