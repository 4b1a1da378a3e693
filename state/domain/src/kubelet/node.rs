//! The virtual node.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §6.

use crate::machine::Output;
use crate::state::State;

/// What the virtual node needs now.
pub(super) fn plan(_: &State) -> Vec<Output> {
    Vec::new()
}
