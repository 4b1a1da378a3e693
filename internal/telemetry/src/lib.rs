//! What a process says of itself to those who run it: logs, metrics, and whether it is well.
//!
//! [`init_logging`] comes first in `main`. [`registry`] is what every crate registers its metrics in; [`serve`] shows
//! it at `/metrics`, with `/livez` and `/readyz` after the [`Checks`] of the process.

mod checks;
mod connection;
mod error;
mod logging;
mod server;
mod signals;

pub use checks::Checks;
pub use error::{TelemetryError, chain};
pub use liqo_listening::Listening;
pub use logging::{DEFAULT_FILTER, LogFormat, init_logging};
pub use server::{Exposed, registry, serve};
pub use signals::asked_to_end;

#[cfg(test)]
mod tests;
