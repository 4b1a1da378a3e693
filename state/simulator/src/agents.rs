//! Controllers that are models: they do what the rest of the system does around the control plane under test.
//!
//! Kubernetes collects the maps of nodes that are gone. The replicator copies the map to the peer and its status back. The
//! provider makes remote namespaces and deletes them, which is where something of value is lost.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Facts, MappingFacts, NamespaceFacts, NamespaceMapFacts};
use liqo_model::{Kind, NamespaceName, ObjectKey};

use crate::api::{New, Stored};
use crate::invariants::{CANARY, Checked};
use crate::process::owned_by;
use crate::queue::Step;
use crate::user::{namespace_key, peer_of_map};
use crate::world::{LIQO, NAMES, World};

type Desired = BTreeMap<NamespaceName, NamespaceName>;

impl World {
    /// Does what is to be done because a cluster changed.
    pub(crate) fn agents(&mut self, cluster: usize) -> Checked {
        self.clusters[cluster].agents_planned = false;
        if self.is_down(cluster) {
            self.clusters[cluster].agents_planned = true;
            self.plan(500, 2_000, Step::Agents(cluster));
            return Ok(());
        }
        self.api(cluster).sweep();
        if self.settings.peering.is_some() {
            self.surroundings(cluster);
            return Ok(());
        }
        self.collect_maps(cluster);
        for peer in 0..self.clusters.len() {
            if peer == cluster {
                continue;
            }
            if !self.is_down(peer) {
                self.replicate(cluster, peer);
                self.provide(cluster, peer)?;
                self.report(cluster, peer);
                self.replicate(peer, cluster);
                self.provide(peer, cluster)?;
                self.report(peer, cluster);
            }
        }
        Ok(())
    }

    /// The map of a cluster towards a peer, wherever it is.
    pub(crate) fn map_of(&self, cluster: usize, peer: usize) -> Option<(ObjectKey, NamespaceMapFacts, bool)> {
        let maps = self.clusters[cluster].api.list(Kind::NamespaceMap);
        maps.filter(|map| peer_of_map(&map.key) == Some(peer)).find_map(|map| match &map.facts {
            Facts::NamespaceMap(facts) if facts.origin => {
                Some((map.key.clone(), facts.clone(), map.deleting))
            }
            _ => None,
        })
    }

    /// What belongs to a node goes when that is gone.
    fn collect_maps(&mut self, cluster: usize) {
        let api = &self.clusters[cluster].api;
        let nodes: BTreeSet<String> = api.list(Kind::Node).map(|node| owned_by(&node.uid)).collect();
        let maps = api.list(Kind::NamespaceMap).filter(|map| is_origin(map) && !nodes.contains(&map.rest));
        let lost: Vec<ObjectKey> = maps.map(|map| map.key.clone()).collect();
        for key in lost {
            let _ = self.api(cluster).delete(&key);
            if let Some(peer) = peer_of_map(&key) {
                self.truth.unpeered.insert((cluster, peer));
            }
            self.note(|| format!("{key} of cluster {cluster} goes with its node"));
        }
    }

    /// What the provider was told by a consumer.
    fn copy_key(consumer: usize) -> ObjectKey {
        ObjectKey::local(Kind::NamespaceMap, LIQO, format!("copy-of-{}", NAMES[consumer]))
    }

    fn copy(&self, consumer: usize, provider: usize) -> Option<NamespaceMapFacts> {
        match &self.clusters[provider].api.get(&Self::copy_key(consumer))?.facts {
            Facts::NamespaceMap(facts) => Some(facts.clone()),
            _ => None,
        }
    }

    /// Copies what the consumer wants. What it wants no more is taken away only when a write said so.
    fn replicate(&mut self, consumer: usize, provider: usize) {
        let known = self.copy(consumer, provider).map(|copy| copy.desired);
        let map = self.map_of(consumer, provider).filter(|(_, _, deleting)| !deleting);
        let mut wanted = known.clone().unwrap_or_default();
        let places = |namespace: &NamespaceName| (consumer, namespace.clone(), provider);
        match map {
            Some((_, map, _)) => {
                self.truth.unpeered.remove(&(consumer, provider));
                let taken = &mut self.truth.taken;
                wanted.retain(|namespace, _| {
                    map.desired.contains_key(namespace) || !taken.remove(&places(namespace))
                });
                wanted.extend(map.desired);
            }
            None if self.truth.unpeered.remove(&(consumer, provider)) => wanted.clear(),
            None => return,
        }
        if known.as_ref() == Some(&wanted) {
            return;
        }
        self.write_copy(consumer, provider, |copy| copy.desired = wanted);
    }

    /// An administrator lets go of what peers hold because a consumer lost it; whether there was something.
    pub(crate) fn release_copies(&mut self) -> bool {
        let mut released = false;
        let count = self.clusters.len();
        for (consumer, provider) in (0..count).flat_map(|one| (0..count).map(move |two| (one, two))) {
            let Some(copy) = self.copy(consumer, provider) else { continue };
            let map = self.map_of(consumer, provider);
            let held = copy.desired.into_keys().filter(|namespace| {
                map.as_ref().is_none_or(|(_, map, _)| !map.desired.contains_key(namespace))
            });
            for namespace in held {
                self.truth.allow((consumer, namespace.clone(), provider), self.now);
                self.truth.taken.insert((consumer, namespace, provider));
                if map.is_none() {
                    self.truth.unpeered.insert((consumer, provider));
                }
                released = true;
            }
            if released && !std::mem::replace(&mut self.clusters[consumer].agents_planned, true) {
                self.plan(5, 800, Step::Agents(consumer));
            }
        }
        released
    }

    fn write_copy(&mut self, consumer: usize, provider: usize, change: impl FnOnce(&mut NamespaceMapFacts)) {
        let mut facts = self.copy(consumer, provider).unwrap_or_default();
        change(&mut facts);
        let (key, at) = (Self::copy_key(consumer), self.wall(provider));
        let facts = Facts::NamespaceMap(facts);
        let changed = self.api(provider).change(&key, |object| object.facts = facts.clone());
        if changed.is_err() {
            let _ = self.api(provider).create(New::of(key, facts), at);
        }
    }

    fn mark(consumer: usize) -> String {
        format!("{CANARY} made for {}", NAMES[consumer])
    }

    /// Makes the namespaces that a consumer wants, deletes those that it wants no more, and says how far that went.
    fn provide(&mut self, consumer: usize, provider: usize) -> Checked {
        let Some(copy) = self.copy(consumer, provider) else { return Ok(()) };
        let mut current: BTreeMap<String, MappingFacts> = BTreeMap::new();
        for (namespace, remote) in &copy.desired {
            let phase = self.provide_one((consumer, namespace, provider), remote);
            let facts = MappingFacts { remote: remote.clone(), phase: phase.to_owned() };
            current.insert(namespace.to_string(), facts);
        }
        for (namespace, before) in &copy.current {
            if copy.desired.contains_key(&NamespaceName::from(namespace.as_str())) {
                continue;
            }
            let place = (consumer, NamespaceName::from(namespace.as_str()), provider);
            if self.give_up(&copy.desired, &place, &before.remote)? {
                current.insert(
                    namespace.clone(),
                    MappingFacts { phase: "Terminating".to_owned(), ..before.clone() },
                );
            }
        }
        if current != copy.current {
            self.write_copy(consumer, provider, |copy| copy.current = current);
        }
        Ok(())
    }

    fn provide_one(&mut self, place: (usize, &NamespaceName, usize), remote: &NamespaceName) -> &'static str {
        let (consumer, namespace, provider) = place;
        let key = namespace_key(remote.as_str());
        match self.api(provider).get(&key) {
            Some(known) if known.rest != Self::mark(consumer) => "CreationLoopBackOff",
            Some(known) if known.deleting => "Terminating",
            Some(_) => "Accepted",
            None => {
                let facts = Facts::Namespace(NamespaceFacts::default());
                let at = self.wall(provider);
                let _ =
                    self.api(provider).create(New { rest: Self::mark(consumer), ..New::of(key, facts) }, at);
                self.truth.made_at.insert((consumer, namespace.clone(), provider), self.now);
                self.note(|| format!("{} makes {remote} for {}", NAMES[provider], NAMES[consumer]));
                "Accepted"
            }
        }
    }

    /// Deletes a remote namespace with everything in it; whether it is still there.
    fn give_up(
        &mut self,
        desired: &Desired,
        place: &(usize, NamespaceName, usize),
        remote: &NamespaceName,
    ) -> Checked<bool> {
        let (consumer, _, provider) = place;
        let key = namespace_key(remote.as_str());
        let mark = Self::mark(*consumer);
        let Some(known) = self.api(*provider).get(&key).filter(|known| known.rest == mark) else {
            return Ok(false);
        };
        if known.deleting {
            return Ok(true);
        }
        // Another namespace of the consumer goes by the same name.
        if desired.values().any(|other| other == remote) {
            return Ok(false);
        }
        self.check_loss(place)?;
        let _ = self.api(*provider).delete(&key);
        self.note(|| format!("{} deletes {remote} of {}", NAMES[*provider], NAMES[*consumer]));
        Ok(true)
    }

    /// The consumer's map says what the provider says.
    fn report(&mut self, consumer: usize, provider: usize) {
        let Some(copy) = self.copy(consumer, provider) else { return };
        let Some((key, map, false)) = self.map_of(consumer, provider) else { return };
        if map.current != copy.current {
            let _ = self.api(consumer).change(&key, |object| {
                if let Facts::NamespaceMap(facts) = &mut object.facts {
                    facts.current = copy.current;
                }
            });
        }
    }
}

fn is_origin(map: &Stored) -> bool {
    matches!(&map.facts, Facts::NamespaceMap(facts) if facts.origin)
}
