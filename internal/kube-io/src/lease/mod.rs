//! Who may act: a Lease with an epoch.
//!
//! Every process that writes holds a Lease of `coordination.k8s.io/v1`, with one replica too. Its holder is the uid of
//! the pod. Whoever takes it writes, in the same compare-and-swap, an epoch that is larger than every earlier one, also
//! than those of a Lease that was deleted: `max(previous + 1, seconds since 1970)`.
//!
//! The numbers: a Lease lasts 15 s and is renewed every 5 s, so two renewals in a row may fail before it ends, and a new
//! leader is found within 15 s after the old one was cut off. The holder stops 2 s before others may begin
//! ([`MARGIN`]), which covers clocks that run at different speeds (1 % of 15 s is 0.15 s), the resolution of the Lease
//! (1 s), and the time from the last look at the guard to the write that follows. A write that is on its way longer than
//! that carries the version of the object that it was made for, and fails when a new leader has changed it.

mod guard;
mod keeper;
mod plan;
mod record;
mod store;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use guard::LeaseGuard;
pub use keeper::{LeaseKeeper, LeaseSettings};
pub use plan::{LeaseStep, Me, Seen, plan};
pub use record::LeaseRecord;
pub use store::{LeaseStore, ServerLease};

/// How long a Lease lasts after its last renewal.
pub const DURATION: Duration = Duration::from_secs(15);
/// How often the holder renews it, and how often others look at it.
pub const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long before the end the holder stops.
pub const MARGIN: Duration = Duration::from_secs(2);
