//! Requests for serving certificates of virtual kubelets.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §3.8.

use crate::machine::Output;
use crate::state::State;

/// What is to be done now.
pub(crate) fn plan(_: &State) -> Vec<Output> {
    Vec::new()
}
