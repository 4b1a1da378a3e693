//! What the writer is told about time and the lease.

use std::sync::Arc;
use std::time::Duration;

use liqo_domain::Moment;
use tokio::time::Instant;

use crate::{Authority, Clock};

/// The clocks and the lease.
pub(crate) struct Clocks {
    wall: Arc<dyn Clock>,
    authority: Arc<dyn Authority>,
    began: Instant,
}

impl Clocks {
    pub(crate) fn new(wall: Arc<dyn Clock>, authority: Arc<dyn Authority>) -> Self {
        Self { wall, authority, began: Instant::now() }
    }

    /// Both clocks now.
    pub(crate) fn now(&self) -> Moment {
        let monotonic = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { wall: self.wall.wall(), monotonic }
    }

    /// The moment of the monotonic clock as the runtime counts it.
    pub(crate) fn instant(&self, monotonic: u64) -> Instant {
        self.began + Duration::from_millis(monotonic)
    }

    /// Whether the lease is valid.
    pub(crate) fn may_act(&self) -> bool {
        self.authority.may_act()
    }
}
