//! Objects that are copied to peers as they are: specs go, statuses come back.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.4.

use crate::machine::Output;
use crate::state::State;

/// What is to be done now.
pub(crate) fn plan(_: &State) -> Vec<Output> {
    Vec::new()
}
