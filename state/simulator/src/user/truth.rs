//! What users really want, whatever API servers, watches and logs say.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use liqo_events::Facts;
use liqo_model::NamespaceName;

use super::NAMESPACES;
use super::objects::{Selection, namespace_key, node_key, offloading_key};
use crate::api::Stored;
use crate::world::World;

/// A namespace of a cluster in a peer.
pub(crate) type Place = (usize, NamespaceName, usize);

/// What users want, and when they wanted it not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    wanted: BTreeMap<Place, bool>,
    /// The last moment at which it was not wanted, unless it is not wanted now.
    unwanted_at: BTreeMap<Place, u64>,
    /// When the present mapping was made.
    pub(crate) mapped_at: BTreeMap<Place, u64>,
    /// When the present remote namespace was made.
    pub(crate) made_at: BTreeMap<Place, u64>,
    /// Mappings that were taken out of a map by a write, which the peer is going to hear of.
    pub(crate) taken: BTreeSet<Place>,
    /// Namespaces whose offloading was made to go without the program.
    pub(crate) forced: BTreeSet<(usize, String)>,
    /// Maps that ended because the peering did.
    pub(crate) unpeered: BTreeSet<(usize, usize)>,
}

impl Truth {
    /// A user wants it, or does not.
    pub(crate) fn decide(&mut self, place: Place, wanted: bool, now: u64) {
        if !wanted || self.wanted.get(&place) == Some(&false) {
            self.unwanted_at.insert(place.clone(), now);
        }
        self.wanted.insert(place, wanted);
    }

    /// The store says so again: from now on, what was wanted before is no reason.
    fn restore(&mut self, place: Place, wanted: bool, now: u64) {
        if !wanted {
            self.unwanted_at.insert(place.clone(), now);
        }
        self.wanted.insert(place, wanted);
    }

    /// Somebody took it away without saying that it is not wanted.
    pub(crate) fn allow(&mut self, place: Place, now: u64) {
        self.unwanted_at.insert(place, now);
    }

    /// Whether a user did away with it, now or at some time since `since`.
    pub(crate) fn justifies(&self, place: &Place, since: u64) -> bool {
        let wanted = self.wanted.get(place).copied().unwrap_or(false);
        !wanted || self.unwanted_at.get(place).is_some_and(|at| *at >= since)
    }
}

impl World {
    /// The node of a peer that no user has ended.
    fn node(&self, cluster: usize, peer: usize) -> Option<&Stored> {
        let node = self.clusters[cluster].api.get(&node_key(peer)).map(Rc::as_ref);
        node.filter(|node| !node.deleting)
    }

    /// What the objects say that users made; nothing when they do not say it clearly.
    fn judge(&self, (cluster, namespace, peer): &Place) -> Option<bool> {
        let api = &self.clusters[*cluster].api;
        let Some(node) = self.node(*cluster, *peer) else { return Some(false) };
        let there = api.get(&namespace_key(namespace.as_str())).is_some_and(|namespace| !namespace.deleting);
        let Some(offloading) = api.get(&offloading_key(namespace.as_str())) else { return Some(false) };
        if offloading.deleting || !there {
            return Some(false);
        }
        if offloading.malformed.is_some() {
            return None;
        }
        let (Facts::Offloading(facts), Facts::Node(node)) = (&offloading.facts, &node.facts) else {
            return None;
        };
        match Selection::of(&facts.selector) {
            Selection::Everywhere => Some(true),
            Selection::Region(region) => Some(node.labels.get("region").is_some_and(|label| label == region)),
            Selection::Nonsense => None,
        }
    }

    /// A user changed something about a namespace.
    pub(crate) fn namespace_decided(&mut self, cluster: usize, namespace: &str) {
        for peer in 0..self.clusters.len() {
            let place = (cluster, NamespaceName::from(namespace), peer);
            if let Some(wanted) = self.judge(&place) {
                self.truth.decide(place, wanted, self.now);
            }
        }
    }

    /// A user changed something about the node of a peer. What a restore took away, nobody decided on.
    pub(crate) fn node_decided(&mut self, cluster: usize, peer: usize) {
        for namespace in NAMESPACES {
            let there = self.clusters[cluster].api.get(&offloading_key(namespace)).is_some();
            let place = (cluster, NamespaceName::from(namespace), peer);
            let judged = if there { self.judge(&place) } else { None };
            let gone = self.node(cluster, peer).is_none();
            if let Some(wanted) = judged.or(gone.then_some(false)) {
                self.truth.decide(place, wanted, self.now);
            }
        }
    }

    /// An administrator took the store back: what it says is wanted, and what it lacks nobody decided on.
    pub(crate) fn store_decided(&mut self, cluster: usize) {
        for (namespace, peer) in
            NAMESPACES.iter().flat_map(|name| (0..self.clusters.len()).map(move |peer| (*name, peer)))
        {
            let place = (cluster, NamespaceName::from(namespace), peer);
            let api = &self.clusters[cluster].api;
            let node = self.node(cluster, peer).is_some();
            // Between the end of a node and that of its map, a backup shows a peering that a user ended.
            let ending = !node && self.map_of(cluster, peer).is_some();
            let says = ending || node && api.get(&offloading_key(namespace)).is_some();
            if let Some(wanted) = self.judge(&place).filter(|_| says) {
                self.truth.restore(place.clone(), wanted, self.now);
            }
            if let Some(at) = self.truth.mapped_at.get_mut(&place) {
                *at = self.now;
            }
            self.truth.taken.remove(&place);
            self.truth.unpeered.remove(&(cluster, peer));
        }
    }
}
