//! Why an agent cannot run. What comes and goes while it runs is in its reports.

use thiserror::Error;

/// Why an agent cannot run.
#[derive(Debug, Error)]
pub enum DatapathError {
    /// The kernel does not talk to us.
    #[error("the kernel's network configuration cannot be reached")]
    Netlink {
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<crate::netlink::NetlinkError> for DatapathError {
    fn from(error: crate::netlink::NetlinkError) -> Self {
        Self::Netlink { source: Box::new(error) }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
