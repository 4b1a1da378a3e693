//! What is to be done about one object.

use serde_json::Value;

/// What is to be done about one object, decided from the object as it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Make it.
    Create(Value),
    /// Merge these fields into it; they change nothing when they are so already.
    Patch(Value),
    /// Merge these fields into it through its status.
    PatchStatus(Value),
    /// Merge these fields into it through its approval.
    Approve(Value),
    /// Delete this very state of it, and decide again: it has to be made anew, or to stay away.
    Delete,
    /// Nothing: it is as it should be.
    Nothing,
    /// Nothing: the command is about something that is no more.
    Superseded(String),
    /// Nothing until somebody changes the object.
    Park(String),
    /// Nothing now; it will pass.
    Later(String),
}
