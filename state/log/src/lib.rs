//! The event log: what it promises, and where it is kept.
//!
//! [`EventLog`] is the promise. [`SledLog`] keeps it on a volume, [`MemoryLog`] as long as the process lives: for a
//! degraded process and for tests. Both pass the same suite.
//!
//! The log holds observations and choices, never the truth about Kubernetes objects: **deleting the volume
//! re-converges**. So whatever is wrong with a volume, the answer is the same: put it aside, start empty, say so.
//!
//! The store needs `panic = "unwind"`: it panics on damaged files, and that is caught here.

mod contract;
mod error;
mod memory;
mod on_disk;
mod retention;
mod snapshot;
mod statistics;

#[cfg(test)]
mod contract_tests;

pub use contract::EventLog;
pub use error::{Failure, LogError};
pub use memory::{MemoryLimits, MemoryLog};
pub use on_disk::{Opened, Opening, Options, Quarantine, SledLog};
pub use retention::Retention;
pub use snapshot::Snapshot;
pub use statistics::LogStatistics;
