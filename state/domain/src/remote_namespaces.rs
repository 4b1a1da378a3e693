//! Namespaces that extend those of consumers.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.2.

use crate::machine::Output;
use crate::state::State;

/// What is to be done now.
pub(crate) fn plan(_: &State) -> Vec<Output> {
    Vec::new()
}
