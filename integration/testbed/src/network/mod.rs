//! The wires: a switch in a network namespace of its own, to which the machine and all nodes are plugged.
//!
//! ```text
//!  machine ── testbed0 ┐        ┌ c1.0 ── eth0 rome-control-plane
//!                      ├ switch ┼ c1.1 ── eth0 rome-worker
//!                      ┘   br0  └ c2.r ── uplink [router of milan] br0 ┬ c2.0 ── eth0 milan-control-plane
//! ```
//! The bridge is not in the machine's own namespace, so no firewall of the machine applies to frames between nodes, and
//! nothing of the testbed but one veth shows there. A cluster behind NAT has a segment of its own behind its router.

mod cut;
mod namespace;
mod router;
mod segment;
mod switch;

pub use cut::Cut;
pub(crate) use cut::Cuts;
pub(crate) use cut::{apply_cuts, read_cuts};
pub(crate) use namespace::{names, remove};
pub(crate) use router::{ensure_router, remove_router};
pub(crate) use segment::{
    NodeLink, balancer_route, is_plugged, plug, remove_balancer_routes, segment_of, silence, unplug,
};
pub(crate) use switch::{MACHINE_LINK, ensure_switch, machine_link_taken, remove_switch};
