//! A short fingerprint of a state, so that a replay can be compared with what was recorded.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Serialize, Serializer};

/// The sum of the hashes of everything in a state. It depends on no order, so a change costs the hash of what changed.
///
/// Equal within one build only: the hash follows the fields of the types. It is no protection against forgery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct StateDigest(pub u64);

impl StateDigest {
    /// This digest with an entry added.
    #[must_use]
    pub fn with(self, entry: u64) -> Self {
        Self(self.0.wrapping_add(entry))
    }

    /// This digest with an entry taken away.
    #[must_use]
    pub fn without(self, entry: u64) -> Self {
        Self(self.0.wrapping_sub(entry))
    }
}

impl fmt::Display for StateDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// Sixteen hexadecimal digits: a number of 64 bits would lose digits in many readers of JSON.
impl Serialize for StateDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
