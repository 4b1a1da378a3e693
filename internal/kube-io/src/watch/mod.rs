//! Watches: what an API server says of a kind becomes events.
//!
//! [`Watch::run`] does what [`plan`](self) asks and reports how it went. The plan is pure: it decides when a cursor may be
//! resumed, when everything is listed anew, and how long to wait after a failure.

mod drift;
mod life;
mod lines;
mod listing;
mod observe;
mod plan;
mod run;
mod stream;
mod target;
mod watches;
mod witness;

#[cfg(test)]
mod tests;

pub use life::ClusterLife;
pub(crate) use life::Testimony;
pub use plan::{Relist, Trouble};
pub use run::{Watch, WatchContext};
pub use target::{Cursor, Target};
pub use watches::{NotListed, WatchHandle, WatchState, Watches};
pub(crate) use witness::{Heard, hear};
