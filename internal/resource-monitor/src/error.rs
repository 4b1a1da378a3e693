//! What can go wrong with an external resource monitor.

use thiserror::Error;
use tonic::{Status, transport};

/// Why the monitor has not said what it was asked for.
#[derive(Debug, Error)]
pub enum Error {
    /// The address makes no sense.
    #[error("--resource-plugin-address {address:?} is no address: write it as HOST:PORT")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        source: transport::Error,
    },
    /// No connection.
    #[error(
        "the resource monitor at {address} cannot be reached: check --resource-plugin-address, and that it runs there"
    )]
    Unreachable {
        /// The address.
        address: String,
        /// What went wrong; nothing when it took too long.
        source: Option<transport::Error>,
    },
    /// It did not answer in time.
    #[error("the resource monitor did not answer {call} in time: check its logs")]
    Silent {
        /// The call.
        call: &'static str,
    },
    /// It answered with an error.
    #[error("the resource monitor refused {call}: {}: check its logs", .status.message())]
    Refused {
        /// The call.
        call: &'static str,
        /// What it said.
        status: Status,
    },
    /// It said something that is no amount.
    #[error(
        "the resource monitor said {text:?} of resource {resource:?}, which is no amount: it has to be one such as 500m, 2Gi or 3"
    )]
    Amount {
        /// The resource.
        resource: String,
        /// What it said of it.
        text: String,
    },
    /// It named too much.
    #[error(
        "the resource monitor named {resources} resources of one consumer; at most {most} are taken over"
    )]
    TooMany {
        /// How many.
        resources: usize,
        /// How many may be.
        most: usize,
    },
    /// It does not say any more when something changes.
    #[error("the resource monitor ended its notifications")]
    Ended,
}

impl Error {
    /// Whether nothing more is to be had from this connection.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Ended | Self::Address { .. } => true,
            Self::Refused { status, .. } => status.code() == tonic::Code::Unavailable,
            Self::Amount { .. } | Self::TooMany { .. } => false,
        }
    }
}
