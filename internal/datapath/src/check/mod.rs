//! The connection check: every gateway asks every peer, through the tunnel, whether it is there.
//!
//! | fact | value |
//! |---|---|
//! | transport | UDP, port 12345 at both ends, inside the tunnel |
//! | message | JSON: `clusterID` of who is asked, `msgType` `PING` or `PONG`, `timeStamp` of who asks (RFC 3339) |
//! | who is asked | the first address of the peer's external network, which the peer translates to the end of the tunnel |
//! | answer | the same object with `PONG` |

mod checker;
mod message;
mod run;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

pub use checker::{Checker, Health, Now, Status};
pub use message::{Message, MessageType};

pub(crate) use run::{Checking, Target};

/// UDP port of both ends.
pub const PORT: u16 = 12345;

/// The address in an external network that stands for the end of the tunnel: network + 1.
pub fn address_in(external: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(external.network()).wrapping_add(1))
}

#[cfg(test)]
mod tests;
