//! Why the engine ended, or cannot be reached.

use thiserror::Error;

/// The engine ended because of an error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// A command failed in a way that the process cannot go on from.
    #[error("the command {effect} for {slot} failed and the process cannot go on: {reason}")]
    Act {
        /// Name of the effect.
        effect: &'static str,
        /// What it was about.
        slot: String,
        /// What went wrong.
        reason: String,
    },
    /// A task that the engine waits for ended without a result, which is a fault of this program.
    #[error("the engine could not {doing}: {reason}; this is a fault of Liqo, please report it with the log")]
    Task {
        /// What the task was to do.
        doing: &'static str,
        /// What the runtime said.
        reason: String,
    },
}

/// The engine has ended, so it neither takes nor gives anything any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the engine has stopped")]
pub struct EngineStopped;

/// The error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
