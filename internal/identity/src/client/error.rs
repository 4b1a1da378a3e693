//! Why a provider gave no identity, and what may be done about it.

use std::io;
use std::time::Duration;

use thiserror::Error;

/// Least time before a provider that said no is asked again. Its answer may have had a passing reason (Liqo 0.8.3 says no
/// whenever its own API server does), and what its administrator changes is not seen from here.
const AFTER_DENIAL: Duration = Duration::from_secs(60);

/// Why a provider did not answer, or gave no identity. The texts hold no tokens, also when a provider sends them back.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// The URL cannot be used. It is not shown: a URL may hold a password.
    #[error("spec.foreignAuthUrl is no URL of an authentication service: give https://host[:port]")]
    Url,
    /// There is no connection.
    #[error(
        "no connection to the authentication service {endpoint}: check spec.foreignAuthUrl and the network"
    )]
    Connect {
        /// Host and port.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// The TLS handshake failed.
    #[error(
        "the authentication service {endpoint} cannot be trusted: check its certificate, or set \
         spec.insecureSkipTLSVerify"
    )]
    Tls {
        /// Host and port.
        endpoint: String,
        /// What is wrong.
        source: io::Error,
    },
    /// The token tells the key of the provider, and whoever answers does not have it.
    #[error(
        "the authentication service {endpoint} does not prove that the token is of it, which it was not shown: check \
         spec.foreignAuthUrl, and ask for another token if the key of the other cluster was made anew"
    )]
    Pin {
        /// Host and port.
        endpoint: String,
        /// What is wrong, if there was TLS at all.
        source: Option<io::Error>,
    },
    /// The token lost a part on its way. It is not sent: what is left may not prove who gets it.
    #[error("the token for {endpoint} is damaged: copy the whole of it, or ask for another one")]
    Token {
        /// Host and port.
        endpoint: String,
    },
    /// The connection broke before the answer was there.
    #[error("the authentication service {endpoint} broke off: check that it speaks HTTP/1.1")]
    Exchange {
        /// Host and port.
        endpoint: String,
        /// What happened.
        source: hyper::Error,
    },
    /// There was no answer in time.
    #[error("the authentication service {endpoint} did not answer within {seconds} s")]
    Timeout {
        /// Host and port.
        endpoint: String,
        /// Time that it had.
        seconds: u64,
    },
    /// The provider said no: 401 or 403.
    #[error("the authentication service {endpoint} denied it with status {status}: {message}")]
    Denied {
        /// Host and port.
        endpoint: String,
        /// Status code.
        status: u16,
        /// What it said, in one line.
        message: String,
    },
    /// The provider answered with another status.
    #[error("the authentication service {endpoint} answered with status {status}: {message}")]
    Status {
        /// Host and port.
        endpoint: String,
        /// Status code.
        status: u16,
        /// What it said, in one line.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer cannot be used.
    #[error("the answer of the authentication service {endpoint} cannot be used: {reason}")]
    Answer {
        /// Host and port.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The request cannot be made.
    #[error("no request can be made for the authentication service {endpoint}")]
    Request {
        /// Host and port.
        endpoint: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What may be done after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Ask again; not before this time, if there is one.
    Retry {
        /// Least time to wait.
        after: Option<Duration>,
    },
    /// Wait until the ForeignCluster changes.
    Park,
}

impl EnrolError {
    /// What may be done about it. A token or a ForeignCluster that changes is a reason to ask again at once.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Url | Self::Request { .. } | Self::Token { .. } => Disposition::Park,
            // A key that was made anew, or somebody in between: a person has to look, so there is no hurry.
            Self::Pin { .. } => Disposition::Retry { after: Some(AFTER_DENIAL) },
            Self::Denied { .. } => Disposition::Retry { after: Some(AFTER_DENIAL) },
            Self::Status { retry_after, .. } => Disposition::Retry { after: *retry_after },
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Exchange { .. }
            | Self::Timeout { .. }
            | Self::Answer { .. } => Disposition::Retry { after: None },
        }
    }

    /// The word that it is counted under.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Url | Self::Request { .. } | Self::Token { .. } => "no_request",
            Self::Pin { .. } => "unproven",
            Self::Connect { .. } => "unreachable",
            Self::Tls { .. } => "untrusted",
            Self::Exchange { .. } => "broken",
            Self::Timeout { .. } => "timeout",
            Self::Denied { .. } => "denied",
            Self::Status { .. } => "failed",
            Self::Answer { .. } => "unusable",
        }
    }
}
