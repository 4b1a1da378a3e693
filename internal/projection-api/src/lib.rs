//! What other processes and people see of this one, over gRPC: the stream of views to agents, and a look into the log.
//!
//! | part | where it listens | who may use it |
//! |---|---|---|
//! | [`projection`] | TCP with TLS | agents, by a service-account token of audience [`AUDIENCE`] and the topics of their role |
//! | [`debug`] | a unix socket of mode 0600 | the user of the process, and root |
//!
//! Nothing is queued for a reader: each one asks for what comes after its own position when it is ready for more, so a
//! slow one costs no memory and gets a fresh snapshot when it is too far behind. [`client`] is the agents' side.

mod agent_report;
pub mod client;
pub mod debug;
mod engine_source;
mod held;
mod incoming;
mod json;
mod metrics;
pub mod projection;
mod run;
mod source;
mod tunnels;

pub use agent_report::{AgentReport, TunnelReport, TunnelStatus};
pub use engine_source::{EngineSource, STATUS};
pub use json::{Json, encoded};
pub use metrics::Metrics;
pub use projection::AUDIENCE;
pub use run::{Stream, StreamError};
pub use source::{DebugSource, ProjectionSource, ReleaseError, Released, Report, Sighting, SourceError};

#[cfg(test)]
mod test_process;
#[cfg(test)]
mod test_server;
