//! WireGuard, in this process: sessions with peers, one UDP socket, one TUN device, and two threads that carry packets
//! from one to the other.
//!
//! ```text
//!  kernel ─► TUN ─► outbound thread: by destination to a peer ─► seal ─► UDP socket ─► peer's gateway
//!  kernel ◄─ TUN ◄─ inbound thread: source must be that peer's ◄─ open ◄─ UDP socket ◄─ peer's gateway
//! ```
//!
//! Both threads work in batches: the kernel hands over up to 64 KiB of one stream at a time and takes as much, in both
//! directions. Nothing is allocated for a packet of an established session.

mod allowed;
mod flood;
mod inbound;
mod key;
mod noise;
mod outbound;
mod peers;
mod resolve;
mod session;
mod socket;
mod tun;
mod tunnel;

pub use key::{KeyError, KeyPair, PublicKey};

pub(crate) use peers::{PeerFigures, PeerSettings, Peers};
pub(crate) use resolve::resolve;
pub(crate) use tunnel::{Drops, Listen, Reason, Tunnel};

#[cfg(test)]
mod tests;
