//! What the writer takes, and the clocks that it is told.

use liqo_events::{Event, UnixMillis};

use crate::Listed;

/// What comes into the writer. The order within one sender is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Facts of the observed family. Those that say nothing new are dropped; the others become durable together.
    Observe(Vec<Event>),
    /// A complete list: what is known and not in it has vanished.
    Listed(Listed),
    /// Everything that must be seen before acting in this epoch was seen: plan everything and act.
    GoLive {
        /// The epoch of the lease.
        epoch: u64,
    },
}

/// Both clocks at one moment. The wall clock dates events, the monotonic one fires deadlines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock; may jump.
    pub wall: UnixMillis,
    /// Milliseconds since an arbitrary start of this process; never goes back.
    pub monotonic: u64,
}
