//! The data path: what gateways and nodes do with packets, and how the kernel is told.
//!
//! ```text
//!  pod ─► node: policy rule ─► liqo.vxlan ═══ overlay ═══ liqo.vxlan ─► gateway: nft table ip liqo ─► liqo.tunnel ─► WireGuard
//! ```
//!
//! | part | pure | thin |
//! |---|---|---|
//! | interfaces, addresses, routes, rules, neighbours | [`network::plan`] | netlink |
//! | address translation | `firewall` tables | `nft` |
//! | encryption | sessions, allowed addresses, floods | TUN, UDP, two threads |
//! | [`check`]: is the peer there? | [`check::Checker`] | one UDP socket |
//!
//! [`gateway::run`] and [`node::run`] put it together: they take what is wanted from a channel, compare it with what the
//! kernel holds, do what is missing, and look again when the kernel says that something changed. Nothing that is not named
//! `liqo.*`, in table 18952 or in the nftables table `ip liqo` is ever changed, but for one thing: in the gateway's own
//! namespace the pod's interface forwards.

mod admission;
pub mod check;
mod desired;
mod error;
mod firewall;
pub mod gateway;
mod kernel;
mod memory;
mod metrics;
mod netlink;
pub mod network;
pub mod node;
pub mod overlay;
mod report;
mod rhythm;
mod wireguard;

pub use desired::{Desired, Position, StateFile};
pub use error::DatapathError;
pub use metrics::Metrics;
pub use report::{PeerReport, Report};
pub use wireguard::{KeyError, KeyPair, PublicKey};

/// Chance from the system, of which everything that an agent does by chance can be made.
///
/// # Errors
///
/// When the system has none.
pub fn seed() -> std::io::Result<u64> {
    rand::TryRng::try_next_u64(&mut rand::rngs::SysRng).map_err(std::io::Error::other)
}
