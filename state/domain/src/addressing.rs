//! Which networks this cluster uses for itself and for its peers, and how addresses are carried from one to the other.
//!
//! A peer keeps its own network where that is free here, and otherwise gets one of the same length out of the pools, in
//! the way that 0.8.3 does it: from the smallest free block that it fits in, the lowest of several. So the same networks
//! in the same order give the same result in both.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §A.1.2, §A.1.5 and §A.1.6.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// What stands for a network that is not remapped.
pub const NOT_REMAPPED: &str = "None";

/// Networks that peers are remapped to, in the order in which they are tried.
pub const POOLS: [&str; 3] = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"];

/// Bits of the longest prefix that an external network may have: it holds 253 addresses beside that of the tunnel.
const LONGEST_EXTERNAL: u8 = 24;

/// The networks of a cluster: pools, and what of all networks is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressSpace {
    pools: Vec<Ipv4Net>,
    taken: Vec<Ipv4Net>,
}

/// The networks by which a cluster names those of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// For its pods.
    pub pods: Ipv4Net,
    /// For what it offers beside pods.
    pub external: Ipv4Net,
}

impl Default for AddressSpace {
    /// The pools, and nothing taken.
    fn default() -> Self {
        Self { pools: POOLS.iter().filter_map(|pool| network(pool)).collect(), taken: Vec::new() }
    }
}

impl AddressSpace {
    /// Marks a network as taken, whatever else it overlaps.
    pub fn take(&mut self, network: Ipv4Net) {
        self.taken.push(network.trunc());
    }

    /// Whether nothing of a network is taken.
    pub fn is_free(&self, network: Ipv4Net) -> bool {
        !self.taken.iter().any(|taken| overlap(*taken, network))
    }

    /// Takes the external network of this cluster: as long as that of its pods, or the next longer one that there is.
    pub fn take_external(&mut self, length: u8) -> Option<Ipv4Net> {
        let lengths = length..=LONGEST_EXTERNAL.max(length);
        let found = lengths.into_iter().find_map(|length| self.child(length))?;
        self.take(found);
        Some(found)
    }

    /// Takes both networks of a peer, or neither.
    pub fn take_peer(&mut self, pods: Ipv4Net, external: Ipv4Net) -> Option<Given> {
        let mut tried = self.clone();
        let given = Given { pods: tried.keep_or_remap(pods)?, external: tried.keep_or_remap(external)? };
        *self = tried;
        Some(given)
    }

    fn keep_or_remap(&mut self, asked: Ipv4Net) -> Option<Ipv4Net> {
        let asked = asked.trunc();
        let found = self.found_for(asked)?;
        self.take(found);
        Some(found)
    }

    fn found_for(&self, asked: Ipv4Net) -> Option<Ipv4Net> {
        let is_free = self.is_free(asked);
        // Kept to itself, a whole pool would leave nothing to others: that is the last resort.
        if self.pools.contains(&asked) {
            return self.child_beside(asked).or(is_free.then_some(asked));
        }
        let is_inside = self.pools.iter().any(|pool| pool.contains(&asked));
        let is_outside = !self.pools.iter().any(|pool| overlap(*pool, asked));
        if is_free && (is_inside || is_outside) { Some(asked) } else { self.child(asked.prefix_len()) }
    }

    fn child(&self, length: u8) -> Option<Ipv4Net> {
        self.pools.iter().find_map(|pool| self.child_of(*pool, length))
    }

    fn child_beside(&self, pool: Ipv4Net) -> Option<Ipv4Net> {
        let others = self.pools.iter().filter(|other| **other != pool);
        others.into_iter().find_map(|other| self.child_of(*other, pool.prefix_len()))
    }

    /// The first network of the smallest free block of a pool; the whole pool is never given.
    fn child_of(&self, pool: Ipv4Net, length: u8) -> Option<Ipv4Net> {
        if length <= pool.prefix_len() {
            return None;
        }
        let mut free = Vec::new();
        self.free_blocks(pool, &mut free);
        let fitting = free.into_iter().filter(|block| block.prefix_len() <= length);
        let best =
            fitting.reduce(|best, next| if next.prefix_len() > best.prefix_len() { next } else { best });
        Ipv4Net::new(best?.network(), length).ok()
    }

    /// The largest free blocks of a block, in order.
    fn free_blocks(&self, block: Ipv4Net, into: &mut Vec<Ipv4Net>) {
        if self.is_free(block) {
            into.push(block);
        } else if !self.taken.iter().any(|taken| taken.contains(&block)) {
            let halves = block.subnets(block.prefix_len().saturating_add(1));
            halves.into_iter().flatten().for_each(|half| self.free_blocks(half, into));
        }
    }
}

/// A network of text, without the bits of a host.
pub fn network(text: &str) -> Option<Ipv4Net> {
    text.parse::<Ipv4Net>().ok().map(|network| network.trunc())
}

/// Whether two networks have an address in common.
pub fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// The network by which a network is named: itself when it is not remapped. Nothing when the text is neither, or when the
/// length is another one, so that addresses cannot be carried over.
pub fn remapped(original: Ipv4Net, text: &str) -> Option<Ipv4Net> {
    if text == NOT_REMAPPED {
        return Some(original);
    }
    network(text).filter(|other| other.prefix_len() == original.prefix_len())
}

/// The text of a network as another names it: `None` when it keeps its name.
pub fn remapping(original: Ipv4Net, used: Ipv4Net) -> String {
    if original == used { NOT_REMAPPED.to_owned() } else { used.to_string() }
}

/// The address in a network that has the same bits behind its prefix.
pub fn carried_over(into: Ipv4Net, address: Ipv4Addr) -> Ipv4Addr {
    into.addr() | (into.hostmask() & address)
}

/// The address in an external network that stands for the end of the tunnel.
pub fn tunnel_address(external: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(external.network()).saturating_add(1))
}

#[cfg(test)]
mod tests;
