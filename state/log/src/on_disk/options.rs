//! How a log on a volume is kept.

use std::time::Duration;

use crate::Retention;

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
