//! How much consumers are offered, as seen from outside of the machine: the word of an external resource monitor, and figures
//! of what is promised.
//!
//! An external resource monitor is a program of the user, called over gRPC with the names of Liqo 0.8.3 ([`liqo_proto::resource_monitor`]).
//! No decision waits for it: [`ExternalMonitor`] asks it beside the engine, and what it says arrives as an event like any
//! observation. While it is away, the last that it said stands.

mod amounts;
mod connection;
mod error;
mod figures;
mod follow;
mod metrics;
mod wanted;

pub use error::Error;
pub use figures::show_promises;
pub use follow::ExternalMonitor;
pub use metrics::Metrics;
