//! What can go wrong, in the words of the person at the terminal.
//!
//! `Display` never repeats its source: [`Error::line`] joins the chain into the one line that the binary prints.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the testbed. Each variant names the thing at fault and, where a person can act, the fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that the user gave cannot be used.
    #[error("{what} {value:?} {problem}; {fix}")]
    Invalid {
        /// The flag or argument, as the user typed it.
        what: &'static str,
        /// The value given.
        value: String,
        /// Why it cannot be used.
        problem: String,
        /// What to do instead.
        fix: String,
    },
    /// The machine lacks something, or somebody else holds it.
    #[error("{problem}; {fix}")]
    Machine {
        /// What is missing or taken.
        problem: String,
        /// What to do about it.
        fix: String,
    },
    /// Reading or writing a file failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The verb, such as "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A program that the testbed calls ended with a failure.
    #[error("{command} failed ({status}): {output}")]
    Command {
        /// The program with its arguments.
        command: String,
        /// Its exit status.
        status: String,
        /// The last lines it printed.
        output: String,
    },
    /// The supervisor of a node refused a request or does not answer.
    #[error("node {node} {problem}; `testbed status` shows its state, `testbed up` repairs it")]
    Node {
        /// The node's name.
        node: String,
        /// What happened.
        problem: String,
    },
    /// A request to a Kubernetes API server failed.
    #[error("cluster {cluster}: cannot {action}: {reason}")]
    Api {
        /// The cluster.
        cluster: String,
        /// What was tried.
        action: String,
        /// What the API server said, or why it was not reached.
        reason: String,
    },
    /// Something did not come true in time.
    #[error("{what} did not happen within {} s; {hint}", limit.as_secs())]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// Where to look.
        hint: String,
    },
    /// A certificate could not be made.
    #[error("cannot make the certificate {name}")]
    Certificate {
        /// The certificate's file name.
        name: String,
        /// The cause.
        source: rcgen::Error,
    },
    /// An image could not be made.
    #[error("cannot make the image")]
    Image(#[source] crate::image::Error),
}

impl Error {
    /// The error and its causes in one line.
    pub fn line(&self) -> String {
        let mut line = self.to_string().replace('\n', " ");
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string().replace('\n', " "));
            cause = error.source();
        }
        line
    }

    /// For `map_err` on file operations.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err` on requests to an API server.
    pub(crate) fn api(cluster: &str, action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let (cluster, action) = (cluster.to_owned(), action.into());
        move |error| {
            let reason = match error {
                kube::Error::Api(status) => status.message,
                // The client's own errors say everything again in their sources.
                other => other.to_string(),
            };
            Self::Api { cluster, action, reason }
        }
    }
}
