//! Reasons to put a log aside.

use std::fmt;

/// Why a log was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quarantine {
    /// What is stored is not what was written.
    Damaged,
    /// A newer version of this program wrote it.
    NewerVersion,
    /// The store panicked, which it does on most damage.
    Panicked,
    /// The store did not open in time.
    TimedOut,
    /// The store or the disk refused to read.
    Unreadable,
    /// Appending to it failed, and a new generation was begun.
    Abandoned,
}

impl Quarantine {
    pub(super) const ALL: [Self; 6] = [
        Self::Damaged,
        Self::NewerVersion,
        Self::Panicked,
        Self::TimedOut,
        Self::Unreadable,
        Self::Abandoned,
    ];
}

/// As in the name of the directory.
impl fmt::Display for Quarantine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Damaged => "damaged",
            Self::NewerVersion => "newer-version",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed-out",
            Self::Unreadable => "unreadable",
            Self::Abandoned => "abandoned",
        })
    }
}
