//! Where a command writes, and what may be done there.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::CtlError;

/// Standard output, or what stands for it.
pub struct Console {
    out: Box<dyn Write + Send>,
    /// Standard error, or what stands for it: what no script reads.
    aside: Box<dyn Write + Send>,
    colour: bool,
    /// Whether lines can be written over.
    live: bool,
}

impl fmt::Debug for Console {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Console").field("colour", &self.colour).finish_non_exhaustive()
    }
}

impl Console {
    /// Standard output; in colour on a terminal, unless the environment has `NO_COLOR` (no-color.org).
    pub fn standard() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let live = io::stdout().is_terminal();
        Self { out: Box::new(io::stdout()), aside: Box::new(io::stderr()), colour: wanted && live, live }
    }

    /// Writes somewhere else, without colour.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), aside: Box::new(io::sink()), colour: false, live: false }
    }

    /// Writes there what goes beside the output.
    #[must_use]
    pub fn with_aside(self, aside: impl Write + Send + 'static) -> Self {
        Self { aside: Box::new(aside), ..self }
    }

    /// Writes over lines as on a terminal, without colour.
    #[must_use]
    pub fn as_terminal(self) -> Self {
        Self { live: true, ..self }
    }

    /// Whether colours may be used.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Whether somebody watches, so that a line may be written over.
    pub(crate) fn live(&self) -> bool {
        self.live
    }

    /// Says that something is done or as it should be.
    pub(crate) fn success(&mut self, message: &str) -> Result<(), CtlError> {
        self.labelled("INFO", "32", message)
    }

    /// Says something that is worth knowing.
    pub(crate) fn info(&mut self, message: &str) -> Result<(), CtlError> {
        self.labelled("INFO", "90", message)
    }

    /// Says something that a user should look at.
    pub(crate) fn warn(&mut self, message: &str) -> Result<(), CtlError> {
        self.labelled("WARN", "33", message)
    }

    /// Warns beside the output, so that a script that reads it is not disturbed.
    pub(crate) fn caution(&mut self, message: &str) -> Result<(), CtlError> {
        let written = writeln!(self.aside, "liqoctl: warning: {message}").and_then(|()| self.aside.flush());
        written.map_err(|source| CtlError::Output { source })
    }

    fn labelled(&mut self, label: &str, colour: &str, message: &str) -> Result<(), CtlError> {
        let line = match (self.live, self.colour) {
            (true, true) => format!(" \u{1b}[{colour}m{label}\u{1b}[0m  {message}\n"),
            (true, false) => format!(" {label}  {message}\n"),
            (false, _) => format!("{label}: {message}\n"),
        };
        self.write(&line)
    }

    /// Writes a text that ends with a line end, at once: it may be one of a stream.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), CtlError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|source| CtlError::Output { source })
    }
}
