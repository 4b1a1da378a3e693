//! What is copied to the provider, and what comes back.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.2 and §B.3.

use liqo_model::ObjectKey;

use crate::machine::Output;
use crate::state::State;

/// What an object or its copy needs now.
pub(super) fn plan(_: &State, _: &ObjectKey) -> Vec<Output> {
    Vec::new()
}

/// What all of them need now.
pub(super) fn plan_all(_: &State) -> Vec<Output> {
    Vec::new()
}
