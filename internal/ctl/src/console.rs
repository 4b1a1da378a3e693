//! Where a command writes, and what may be done there.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::CtlError;

/// Standard output, or what stands for it.
pub struct Console {
    out: Box<dyn Write + Send>,
    colour: bool,
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
        Self { out: Box::new(io::stdout()), colour: wanted && io::stdout().is_terminal() }
    }

    /// Writes somewhere else, without colour.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), colour: false }
    }

    /// Whether colours may be used.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Writes a text that ends with a line end, at once: it may be one of a stream.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), CtlError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|source| CtlError::Output { source })
    }
}
