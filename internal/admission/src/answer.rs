//! Answers of the webhooks as plain values.

use liqo_domain::Forbidden;
use thiserror::Error;

use crate::patch::Operation;
use crate::port::Unavailable;

/// Characters of a message: enough for what a person reads, and bounded, since it may quote the object.
const LONGEST_MESSAGE: usize = 1024;

/// The object is let in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Admission {
    /// What is changed in it.
    pub(crate) patch: Vec<Operation>,
    /// What its writer should know.
    pub(crate) warning: Option<&'static str>,
}

impl Admission {
    /// Let in as it is.
    pub(crate) fn unchanged() -> Self {
        Self::default()
    }

    /// Let in with changes.
    pub(crate) fn with(patch: Vec<Operation>) -> Self {
        Self { patch, warning: None }
    }
}

/// The object is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// It must not be like this.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// Nobody can tell now.
    #[error("{0}")]
    Unavailable(String),
}

impl Refusal {
    /// The status code, as Liqo 0.8.3 has it.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Forbidden(_) => 403,
            Self::Malformed(_) => 400,
            Self::Unavailable(_) => 500,
        }
    }

    /// The reason in one word, as Kubernetes has it for that code.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "Forbidden",
            Self::Malformed(_) => "BadRequest",
            Self::Unavailable(_) => "InternalError",
        }
    }

    /// In a sentence that is not too long.
    pub(crate) fn message(&self) -> String {
        let message = self.to_string();
        match message.char_indices().nth(LONGEST_MESSAGE) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        }
    }

    /// A field is not what it has to be.
    pub(crate) fn malformed(path: &str, expected: &str) -> Self {
        Self::Malformed(format!("{path} is not {expected}"))
    }
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden.to_string())
    }
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(format!("the webhook cannot tell now, {unavailable}: try again in a moment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_bounded_whatever_they_quote() {
        let refusal = Refusal::Forbidden("é".repeat(100_000));
        assert_eq!(refusal.message().chars().count(), LONGEST_MESSAGE + 1);
        assert_eq!(Refusal::malformed("spec", "a map").message(), "spec is not a map");
    }
}
