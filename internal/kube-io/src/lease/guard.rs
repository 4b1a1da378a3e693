//! Whether the Lease is valid right now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use liqo_engine::Authority;
use liqo_model::Uid;
use tokio::sync::watch;
use tokio::time::Instant;

/// Whether this process may act, by the monotonic clock. Clones share one Lease. It ends by itself: no renewal, no
/// message and no running task is needed for it to become invalid in time.
#[derive(Clone, Debug)]
pub struct LeaseGuard {
    origin: Instant,
    /// Milliseconds after `origin`; 0 while there is no Lease.
    valid_until: Arc<AtomicU64>,
    holder: watch::Sender<Uid>,
}

impl Default for LeaseGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl LeaseGuard {
    /// A guard that lets nobody act until a Lease is held.
    pub fn new() -> Self {
        Self { origin: Instant::now(), valid_until: Arc::default(), holder: watch::Sender::default() }
    }

    /// Whose Lease it was when it was seen last: the uid of a pod, empty when it was nobody's or never seen. For people.
    pub fn holder(&self) -> watch::Receiver<Uid> {
        self.holder.subscribe()
    }

    /// It was seen to be theirs.
    pub(super) fn held_by(&self, holder: &Uid) {
        self.holder.send_if_modified(|known| {
            let changed = known != holder;
            known.clone_from(holder);
            changed
        });
    }

    /// Whether the Lease is valid now.
    pub fn is_valid(&self) -> bool {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        now < self.valid_until.load(Ordering::Acquire)
    }

    /// The end of the Lease, when there is one.
    pub(super) fn valid_until(&self) -> Option<Instant> {
        match self.valid_until.load(Ordering::Acquire) {
            0 => None,
            millis => Some(self.origin + Duration::from_millis(millis)),
        }
    }

    /// It is valid until then.
    pub(super) fn extend(&self, until: Instant) {
        let millis = until.saturating_duration_since(self.origin).as_millis();
        self.valid_until.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.valid_until.store(0, Ordering::Release);
    }
}

impl Authority for LeaseGuard {
    fn may_act(&self) -> bool {
        self.is_valid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_itself() {
        let guard = LeaseGuard::new();
        assert!(!guard.is_valid());
        let other = guard.clone();
        guard.extend(Instant::now() + Duration::from_secs(13));
        assert!(guard.is_valid() && other.may_act());
        tokio::time::advance(Duration::from_millis(12_999)).await;
        assert!(other.is_valid());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!other.is_valid());
        guard.extend(Instant::now() + Duration::from_secs(1));
        guard.end();
        assert!(!other.is_valid());
    }
}
