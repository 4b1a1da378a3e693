//! Addresses of the overlay between the gateway and the nodes. Pure.
//!
//! Every end knows the address of every other without asking: both the overlay address and the hardware address follow
//! from the address that the end has in the network below. So there is no ARP and no flooding.

use std::fmt;
use std::net::Ipv4Addr;

/// The gateway's address in the overlay. No node has it, since no node has the address 0.0.0.1.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(240, 0, 0, 1);

/// The hardware address of one end of the overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The one that follows from an IPv4 address: a locally administered prefix and its four bytes.
    pub const fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x0a, 0x58, a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

/// The overlay address of a node: the class E network, and the last three bytes of the node's own address.
pub const fn address_of(node: Ipv4Addr) -> Ipv4Addr {
    let [_, b, c, d] = node.octets();
    Ipv4Addr::new(240, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_those_of_the_network_below() {
        let node = Ipv4Addr::new(172, 18, 1, 2);
        assert_eq!(address_of(node), Ipv4Addr::new(240, 18, 1, 2));
        assert_eq!(Mac::of(node).to_string(), "0a:58:ac:12:01:02");
        assert_eq!(Mac::of(GATEWAY).to_string(), "0a:58:f0:00:00:01");
    }
}
