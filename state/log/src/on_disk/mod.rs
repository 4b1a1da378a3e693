//! The log on a volume, kept by sled.
//!
//! ```text
//! SledLog ── asks, with a deadline ──► thread: Keeper ── Generation ── sled, HEAD
//!    │                                    └── rotates ──► next Generation
//!    └── holds LOCK of the Volume
//! ```

mod begin;
mod chunk;
mod current;
mod generation;
mod head;
mod keeper;
mod open;
mod options;
mod quarantine;
mod rotate;
mod shed;
mod sled_log;
mod snapshots;
mod store;
mod verify;
mod volume;
mod worker;

#[cfg(test)]
mod recovery_tests;

pub use open::Opening;
pub use options::Options;
pub use quarantine::Quarantine;
pub use sled_log::{Opened, SledLog};
