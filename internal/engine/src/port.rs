//! What the engine needs from outside.

use std::future::Future;

use liqo_domain::Outcome;
use liqo_events::{Command, UnixMillis};

/// Carries commands out. Every call may be repeated with the same command, by this process or the one after it, and
/// must then have the effect once. A call may be dropped at any await, when the lease is lost or it takes too long.
pub trait Actuator: Send + Sync + 'static {
    /// Makes it so. `attempt` counts from 1.
    fn act(&self, command: &Command, attempt: u32) -> impl Future<Output = Outcome> + Send;
}

/// Whether this process may still act. Asked right before each command leaves: word of a lost lease takes its time, the
/// end of a lease does not.
pub trait Authority: Send + Sync + 'static {
    /// Whether the lease is valid now, by the monotonic clock.
    fn may_act(&self) -> bool;
}

/// The wall clock, which dates events. Deadlines fire on the monotonic clock of the runtime.
pub trait Clock: Send + Sync + 'static {
    /// The time; may jump.
    fn wall(&self) -> UnixMillis;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> UnixMillis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
