//! What must hold, whatever happens. Each check is named after the promise that it holds the program to.

mod always;
mod circles;
mod fence;
mod secrets;

use std::fmt;

pub(crate) use secrets::CANARY;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) invariant: &'static str,
    pub(crate) message: String,
}

impl Broken {
    pub(crate) fn new(invariant: &'static str, message: impl Into<String>) -> Self {
        Self { invariant, message: message.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.invariant, self.message)
    }
}

/// The result of something during which promises are checked.
pub(crate) type Checked<T = ()> = Result<T, Broken>;

/// Checks one promise.
pub(crate) fn ensure(holds: bool, invariant: &'static str, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken::new(invariant, message())) }
}
