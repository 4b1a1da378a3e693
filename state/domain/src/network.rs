//! Addresses, network parameters and tunnels.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §A.1 and §A.2.

use crate::machine::Output;
use crate::state::State;

/// What is to be done now.
pub(crate) fn plan(_: &State) -> Vec<Output> {
    Vec::new()
}
