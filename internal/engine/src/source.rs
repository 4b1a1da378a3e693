//! Where logs come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use liqo_log::{EventLog, LogError, Opening, SledLog, Snapshot};

use crate::Clock;

/// A log that was found, or begun because none was.
pub struct OpenedLog {
    /// The log.
    pub log: Box<dyn EventLog>,
    /// Why an earlier log was put aside, when one was.
    pub quarantined: Option<String>,
    /// Events at its end that were durable once and are there no more.
    pub lost: u64,
}

/// Opens logs. Calls block, each for a bounded time, and are made on a thread where that is fine.
pub trait LogSource: Send + 'static {
    /// Opens the log that the last process left. One that cannot be read is put aside, and an empty one begun.
    ///
    /// # Errors
    ///
    /// When not even an empty one can be begun.
    fn open(&mut self) -> Result<OpenedLog, LogError>;

    /// Puts aside what is there, if anything is, and begins a log whose first event is the one after the snapshot; that of
    /// position 0 is of nothing. An earlier log of this source has been dropped, or never answers again.
    ///
    /// # Errors
    ///
    /// As they come; it is tried again later.
    fn begin(&mut self, snapshot: &Snapshot) -> Result<Box<dyn EventLog>, LogError>;
}

/// Logs on a volume.
pub struct LogVolume {
    path: PathBuf,
    options: liqo_log::Options,
    clock: Arc<dyn Clock>,
}

impl LogVolume {
    /// The log in a directory. The clock names what is put aside.
    pub fn new(path: impl Into<PathBuf>, options: liqo_log::Options, clock: Arc<dyn Clock>) -> Self {
        Self { path: path.into(), options, clock }
    }
}

impl LogSource for LogVolume {
    fn open(&mut self) -> Result<OpenedLog, LogError> {
        let opened = SledLog::open(&self.path, self.options, self.clock.wall())?;
        let (quarantined, lost) = match opened.how {
            Opening::Whole | Opening::Fresh => (None, 0),
            Opening::TornTail { lost } => (None, lost),
            Opening::Quarantined { reason, path, .. } => {
                (Some(format!("{reason}; it is kept in {}", path.display())), 0)
            }
        };
        Ok(OpenedLog { log: Box::new(opened.log), quarantined, lost })
    }

    fn begin(&mut self, snapshot: &Snapshot) -> Result<Box<dyn EventLog>, LogError> {
        let log = SledLog::begin_generation(&self.path, self.options, snapshot, self.clock.wall())?;
        Ok(Box::new(log))
    }
}

impl fmt::Debug for LogVolume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LogVolume").field("path", &self.path).field("options", &self.options).finish()
    }
}
