//! What shadows stand for: a ShadowPod for a pod, a ShadowEndpointSlice for endpoints.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §8.

use liqo_model::ObjectKey;

use crate::machine::Output;
use crate::state::State;

/// What one shadow, or the object of one, needs now.
pub(crate) fn plan(_: &State, _: &ObjectKey) -> Vec<Output> {
    Vec::new()
}

/// What all of them need now.
pub(crate) fn plan_all(_: &State) -> Vec<Output> {
    Vec::new()
}
