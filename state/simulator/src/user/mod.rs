//! Users and administrators: what they want is known, so that what the program destroys can be judged.

mod objects;
mod offloading;
mod peers;
mod truth;
mod vandals;

pub(crate) use objects::{identity, is_nonsense, namespace_key, offloading_key, peer_of_map};
pub(crate) use truth::Truth;

use crate::queue::Step;
use crate::world::World;

/// Namespaces that users make; few, so that things meet.
pub(crate) const NAMESPACES: [&str; 3] = ["shop", "blog", "game"];

/// What users do first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opening {
    /// They make a ForeignCluster.
    Know(usize),
    /// They make a peering.
    Peer(usize),
    /// They extend a namespace.
    Offload,
}

impl World {
    /// Every cluster knows its peers, uses them and extends a namespace, as soon as it can.
    pub(crate) fn open_the_play(&mut self) {
        for cluster in 0..self.clusters.len() {
            for peer in (0..self.clusters.len()).filter(|peer| *peer != cluster) {
                self.plan(2_000, 4_000, Step::Opening(cluster, Opening::Know(peer)));
                self.plan(4_500, 8_000, Step::Opening(cluster, Opening::Peer(peer)));
            }
            self.plan(2_000, 9_000, Step::Opening(cluster, Opening::Offload));
        }
    }

    /// Makes one of the first moves.
    pub(crate) fn opening(&mut self, cluster: usize, opening: Opening) {
        match opening {
            Opening::Know(peer) => self.know(cluster, peer),
            Opening::Peer(peer) => self.peer_with(cluster, peer),
            Opening::Offload => self.offload(cluster),
        }
    }

    /// Somebody does something, and will do more.
    pub(crate) fn user(&mut self) {
        if self.calm {
            return;
        }
        self.plan(50, 6_000, Step::User);
        let cluster = self.chance.index(self.clusters.len());
        if self.is_down(cluster) {
            return;
        }
        match self.chance.below(100) {
            0..14 => self.make_namespace(cluster),
            14..20 => self.end_namespace(cluster),
            20..42 => self.offload(cluster),
            42..52 => self.stop_offloading(cluster),
            52..62 => self.change_offloading(cluster),
            62..72 => self.know_peer(cluster),
            72..75 => self.forget_peer(cluster),
            75..78 => self.change_peer(cluster),
            78..88 => self.peer(cluster),
            88..92 => self.change_node(cluster),
            92..94 => self.unpeer(cluster),
            _ => self.vandalise(cluster),
        }
    }
}
