//! How a command ended, and the event that says so.

use std::time::Duration;

use liqo_events::{CommandFailed, CommandSucceeded, CommandSuperseded, Event};
use liqo_model::ResourceVersion;

use super::Dispatch;
use super::back_off::back_off;
use crate::outbox::effect_hash;

/// An error's text is for people; what is longer than this helps nobody and fills the log.
const LONGEST_TEXT: usize = 512;

/// The longest wait that the other side may ask for: a wrong `Retry-After` must not park a command for days.
const LONGEST_WISH_MILLIS: u64 = 10 * 60 * 1000;

/// How carrying out a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so.
    Succeeded {
        /// Version of the object after it; empty when there is none.
        resource_version: ResourceVersion,
    },
    /// It is pointless: what it is about is not what it was.
    Superseded {
        /// What changed.
        reason: String,
    },
    /// It failed.
    Failed {
        /// What to do with it.
        disposition: Disposition,
        /// What went wrong, for people; nothing secret.
        error: String,
    },
}

/// What to do with something that failed. Adapters judge, the engine acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Try again; `after` is a wish of the other side (`Retry-After`), else the engine backs off.
    Retry {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// Wait until what it is about changes.
    Park,
    /// The process cannot go on.
    Fatal,
}

impl Outcome {
    /// The name of the outcome, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "succeeded",
            Self::Superseded { .. } => "superseded",
            Self::Failed { disposition: Disposition::Retry { .. }, .. } => "retried",
            Self::Failed { disposition: Disposition::Park, .. } => "parked",
            Self::Failed { disposition: Disposition::Fatal, .. } => "fatal",
        }
    }

    /// The event that records this end of a command.
    pub(super) fn into_event(self, dispatch: &Dispatch) -> Event {
        let command = &dispatch.command;
        match self {
            Self::Succeeded { resource_version } => Event::CommandSucceeded(CommandSucceeded {
                id: command.id,
                slot: command.slot.clone(),
                effect: effect_hash(&command.effect),
                resource_version,
                destructive: command.effect.is_destructive(),
            }),
            Self::Superseded { reason } => {
                Event::CommandSuperseded(CommandSuperseded { id: command.id, reason: cut(reason) })
            }
            Self::Failed { disposition, error } => Event::CommandFailed(CommandFailed {
                id: command.id,
                attempt: dispatch.attempt,
                disposition: recorded(disposition, dispatch),
                error: cut(error),
            }),
        }
    }
}

/// A fatal failure is recorded as one to be retried: the next process finds it in the outbox and tries it once more.
fn recorded(disposition: Disposition, dispatch: &Dispatch) -> liqo_events::Disposition {
    let wish = match disposition {
        Disposition::Park => return liqo_events::Disposition::Park,
        Disposition::Retry { after } => after.unwrap_or_default(),
        Disposition::Fatal => Duration::ZERO,
    };
    let wish = u64::try_from(wish.as_millis()).unwrap_or(u64::MAX).min(LONGEST_WISH_MILLIS);
    let after_millis = back_off(dispatch.command.id, dispatch.attempt).max(wish);
    liqo_events::Disposition::Retry { after_millis }
}

/// The beginning of a text, whole characters only.
fn cut(mut text: String) -> String {
    let end = (0..=LONGEST_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("short".to_owned()), "short");
        assert_eq!(cut("é".repeat(300)).len(), LONGEST_TEXT);
        assert_eq!(cut(format!("x{}", "é".repeat(300))).len(), LONGEST_TEXT - 1);
    }
}
