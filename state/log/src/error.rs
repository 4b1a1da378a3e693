//! Why a log cannot do what it was asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use liqo_events::Seq;
use thiserror::Error;

/// What went wrong with a log, by operation.
#[derive(Debug, Error)]
pub enum LogError {
    /// Events or a snapshot that do not fit to what the log has; a fault of the caller. Nothing was written.
    #[error("the log expects {what} {expected} and was given {found}")]
    OutOfOrder {
        /// What is out of order: `event` or `snapshot of`.
        what: &'static str,
        /// The position that fits; for a snapshot the last one that does.
        expected: Seq,
        /// The position that was given.
        found: Seq,
    },
    /// An event larger than a record may be; it has to be made smaller where it is made. Nothing was written.
    #[error("event {seq} has a payload of {bytes} bytes; a record may have {limit}")]
    TooLarge {
        /// The event.
        seq: Seq,
        /// Bytes of its payload.
        bytes: usize,
        /// Bytes that a payload may have.
        limit: usize,
    },
    /// Another process uses the volume.
    #[error("the log's volume {} is in use by another process: give each process a volume of its own", path.display())]
    Locked {
        /// The volume.
        path: PathBuf,
    },
    /// The volume cannot be used: it is missing, read-only, full, or refuses.
    #[error("the log's volume {} cannot be used to {doing}: check that it is mounted, writable and has space", path.display())]
    Volume {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The log cannot be begun anew.
    #[error("no new generation of the log can be begun in {}: check that the volume is writable and has space", path.display())]
    Begin {
        /// The generation's directory.
        path: PathBuf,
        /// Why.
        source: Failure,
    },
    /// Events could not be made durable. The log must be thrown away and a new generation begun.
    #[error(
        "events from {first} on could not be made durable: check the space and the health of the log's volume"
    )]
    Append {
        /// The first event of the batch.
        first: Seq,
        /// Why.
        source: Failure,
    },
    /// Events or the snapshot could not be read.
    #[error("the log could not be read from {from} on: check the health of its volume")]
    Read {
        /// Where reading began.
        from: Seq,
        /// Why.
        source: Failure,
    },
    /// What is stored is not what was written.
    #[error(
        "the log is damaged at {at}: {reason}; history before it may be lost, the state is rebuilt by relisting"
    )]
    Damaged {
        /// The position, or the nearest one that is known.
        at: Seq,
        /// What is wrong.
        reason: String,
    },
    /// A snapshot could not be made durable. The log must be thrown away and a new generation begun.
    #[error(
        "the snapshot of {at} could not be made durable: check the space and the health of the log's volume"
    )]
    Keep {
        /// Position of the snapshot.
        at: Seq,
        /// Why.
        source: Failure,
    },
    /// History could not be dropped. The log must be thrown away and a new generation begun.
    #[error("the log's history could not be trimmed: check the space and the health of its volume")]
    Collect {
        /// Why.
        source: Failure,
    },
}

impl LogError {
    /// Whether there is no space: the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Volume { source, .. } => no_space(source),
            Self::Begin { source, .. }
            | Self::Append { source, .. }
            | Self::Read { source, .. }
            | Self::Keep { source, .. }
            | Self::Collect { source } => source.is_full(),
            Self::OutOfOrder { .. } | Self::TooLarge { .. } | Self::Locked { .. } | Self::Damaged { .. } => {
                false
            }
        }
    }
}

/// What the store did instead of answering.
#[derive(Debug, Error)]
pub enum Failure {
    /// The system refused.
    #[error("the system said: {0}")]
    Io(#[from] io::Error),
    /// The store refused.
    #[error("the store said: {0}")]
    Store(String),
    /// The store panicked, which it does on damaged files. It was caught; what it held is leaked.
    #[error("the store panicked: {0}")]
    Panicked(String),
    /// The store did not answer. Its thread cannot be ended and is leaked.
    #[error("the store did not answer within {0:?}")]
    TimedOut(Duration),
    /// An earlier failure ended the store.
    #[error("the store ended after an earlier failure")]
    Ended,
    /// What is stored is not what was written.
    #[error("damaged at {at}: {reason}")]
    Damaged {
        /// The position, or the nearest one that is known.
        at: Seq,
        /// What is wrong.
        reason: String,
    },
    /// A later version of this program wrote it.
    #[error("it was written by a newer version: {0}")]
    NewerVersion(String),
}

impl Failure {
    /// Whether there is no space: the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io(source) if no_space(source))
    }

    pub(crate) fn damaged(at: Seq, reason: impl Into<String>) -> Self {
        Self::Damaged { at, reason: reason.into() }
    }
}

impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(source) => Self::Io(source),
            sled::Error::Corruption { .. } => {
                Self::damaged(Seq::default(), "the store found its file corrupt")
            }
            other => Self::Store(other.to_string()),
        }
    }
}

fn no_space(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
