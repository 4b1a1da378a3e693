//! What can go wrong besides a failing test.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::tier::Tier;

/// Why the runner could not run the tests to their end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunnerError {
    #[error("cannot read the workspace's metadata; run this from inside the checkout")]
    Metadata(#[source] cargo_metadata::Error),
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is no valid budget file: {reason}")]
    Budget { path: PathBuf, reason: String },
    #[error("tier {tier} needs {path}, which is missing; run `make build` first")]
    TestbedMissing { tier: Tier, path: PathBuf },
    #[error("cannot run `{command}`; is cargo on PATH?")]
    Run { command: String, source: io::Error },
    #[error("the workspace does not compile: `{command}` ended with {status}")]
    Compile { command: String, status: String },
    #[error("cannot listen for Ctrl-C")]
    Signals(#[source] io::Error),
    #[error("interrupted")]
    Interrupted,
}

/// The error and its sources, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |source| (*source).source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_line_with_each_source_once() {
        let error = RunnerError::Read { path: "budget.toml".into(), source: io::ErrorKind::NotFound.into() };
        assert_eq!(chain(&error), "cannot read budget.toml: entity not found");
    }
}
