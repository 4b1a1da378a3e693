//! Why a process cannot tell of itself.

use std::io;

use thiserror::Error;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

/// What went wrong with logs, metrics or probes.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter makes no sense.
    #[error("{filter:?} is no log filter: write a level (info) or levels by module (info,liqo_engine=debug)")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong.
        source: ParseError,
    },
    /// The format does not exist.
    #[error("{format:?} is no log format: write text or json")]
    Format {
        /// What was given.
        format: String,
    },
    /// Logs were set up before.
    #[error("logs are set up twice")]
    Twice {
        /// What the library says.
        source: TryInitError,
    },
    /// The server broke.
    #[error("the server of metrics and probes failed")]
    Serve {
        /// What the system said.
        source: io::Error,
    },
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
