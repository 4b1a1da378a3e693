//! Colours, where they may be used.

use std::fmt::Display;

/// Puts colour around words, or does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn new(colour: bool) -> Self {
        Self(colour)
    }

    fn in_colour(self, code: &str, words: impl Display) -> String {
        if self.0 { format!("\u{1b}[{code}m{words}\u{1b}[0m") } else { words.to_string() }
    }

    /// What is beside the point.
    pub(super) fn faint(self, words: impl Display) -> String {
        self.in_colour("2", words)
    }

    /// What was asked for.
    pub(super) fn strong(self, words: impl Display) -> String {
        self.in_colour("1", words)
    }

    /// The name of an event, in the colour of its family; what failed stands out.
    pub(super) fn event(self, name: &str, family: &str, words: impl Display) -> String {
        let code = match (name, family) {
            ("CommandFailed" | "Rejected", _) => "31",
            (_, "observed") => "36",
            (_, "decided") => "33",
            (_, "done") => "32",
            _ => "35",
        };
        self.in_colour(code, words)
    }
}
