//! How commands ended.

use bincode::{Decode, Encode};
use liqo_model::ResourceVersion;
use serde::Serialize;

use super::{CommandId, Slot};

/// A command had its effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandSucceeded {
    /// Which one.
    pub id: CommandId,
    /// What it was about.
    pub slot: Slot,
    /// Hash of its effect, to tell it from the next one that is wanted.
    pub effect: u64,
    /// Version of the object after it; empty when there is none.
    #[bincode(with_serde)]
    pub resource_version: ResourceVersion,
    /// Whether something in a peer was lost.
    pub destructive: bool,
}

/// A command became pointless, because what it was about changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandSuperseded {
    /// Which one.
    pub id: CommandId,
    /// What changed.
    pub reason: String,
}

/// What happens to a command that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Disposition {
    /// It is tried again.
    Retry {
        /// Milliseconds from the failure.
        after_millis: u64,
    },
    /// It waits until what it is about changes.
    Park,
}

/// A command failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandFailed {
    /// Which one.
    pub id: CommandId,
    /// How often it was tried, this time included.
    pub attempt: u32,
    /// What happens now.
    pub disposition: Disposition,
    /// What went wrong, without anything secret; at most 512 bytes.
    pub error: String,
}
