//! Users who make namespaces and extend them.

use liqo_events::{Facts, MappingStrategy, NamespaceFacts, OffloadingFacts, PodStrategy};

use super::NAMESPACES;
use super::objects::{REGIONS, Selection, namespace_key, offloading_key};
use crate::api::New;
use crate::invariants::CANARY;
use crate::world::World;

impl World {
    fn some_namespace(&mut self) -> &'static str {
        NAMESPACES[self.chance.index(NAMESPACES.len())]
    }

    /// Whether the namespace is there for a consumer.
    fn is_remote(&self, cluster: usize, namespace: &str) -> bool {
        let known = self.clusters[cluster].api.get(&namespace_key(namespace));
        known.is_some_and(|known| known.rest.contains("made for"))
    }

    /// Users make mistakes; the API server tells them, and that is all.
    pub(super) fn make(&mut self, cluster: usize, key: liqo_model::ObjectKey, facts: Facts) {
        let at = self.wall(cluster);
        let rest = format!("{CANARY} {}", self.chance.below(1000));
        let made = self.api(cluster).create(New { rest, ..New::of(key.clone(), facts) }, at);
        self.note(|| format!("user in cluster {cluster} makes {key}: {made:?}"));
    }

    pub(super) fn make_namespace(&mut self, cluster: usize) {
        let namespace = self.some_namespace();
        self.make(cluster, namespace_key(namespace), Facts::Namespace(NamespaceFacts::default()));
    }

    pub(super) fn end_namespace(&mut self, cluster: usize) {
        let namespace = self.some_namespace();
        if self.is_remote(cluster, namespace) {
            return;
        }
        let deleted = self.api(cluster).delete(&namespace_key(namespace));
        self.note(|| format!("user in cluster {cluster} deletes namespace {namespace}: {deleted:?}"));
        if deleted.is_ok() {
            self.namespace_decided(cluster, namespace);
        }
    }

    fn some_selection(&mut self) -> Selection {
        match self.chance.below(10) {
            0..6 => Selection::Everywhere,
            6..9 => Selection::Region(REGIONS[self.chance.index(REGIONS.len())]),
            _ => Selection::Nonsense,
        }
    }

    pub(super) fn offload(&mut self, cluster: usize) {
        let namespace = self.some_namespace();
        if self.chance.one_in(2) {
            self.make(cluster, namespace_key(namespace), Facts::Namespace(NamespaceFacts::default()));
        }
        if self.is_remote(cluster, namespace) {
            return;
        }
        // Two consumers that want the same name in one provider: it depends on who comes first.
        let alone = self.clusters.len() == 2;
        let facts = OffloadingFacts {
            mapping: if alone && self.chance.one_in(5) {
                MappingStrategy::EnforceSameName
            } else {
                MappingStrategy::DefaultName
            },
            pods: if self.chance.one_in(4) { PodStrategy::Local } else { PodStrategy::LocalAndRemote },
            selector: self.some_selection().terms(),
            ..OffloadingFacts::default()
        };
        let there = self.api(cluster).get(&offloading_key(namespace)).is_some();
        self.make(cluster, offloading_key(namespace), Facts::Offloading(facts));
        if !there {
            self.namespace_decided(cluster, namespace);
        }
    }

    pub(super) fn stop_offloading(&mut self, cluster: usize) {
        let namespace = self.some_namespace();
        let deleted = self.api(cluster).delete(&offloading_key(namespace));
        self.note(|| format!("user in cluster {cluster} stops offloading {namespace}: {deleted:?}"));
        if deleted.is_ok() {
            self.namespace_decided(cluster, namespace);
        }
    }

    pub(super) fn change_offloading(&mut self, cluster: usize) {
        let namespace = self.some_namespace();
        let (selection, local) = (self.some_selection(), self.chance.one_in(4));
        let changed = self.api(cluster).change(&offloading_key(namespace), |object| {
            object.malformed = None;
            if let Facts::Offloading(facts) = &mut object.facts {
                facts.selector = selection.terms();
                facts.pods = if local { PodStrategy::Local } else { PodStrategy::Remote };
            }
        });
        self.note(|| format!("user in cluster {cluster} selects {selection:?} for {namespace}: {changed:?}"));
        if changed.is_ok() {
            self.namespace_decided(cluster, namespace);
        }
    }
}
