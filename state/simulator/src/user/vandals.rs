//! People with too many rights, and programs that know nothing of us.

use liqo_events::Facts;
use liqo_model::{Kind, NamespaceName, ObjectKey};

use super::NAMESPACES;
use super::objects::{identity_key, namespace_key, offloading_key, peer_of_map};
use crate::world::World;

impl World {
    pub(super) fn vandalise(&mut self, cluster: usize) {
        match self.chance.below(8) {
            0 => self.break_offloading(cluster),
            1 => self.take_finalizer(cluster),
            2 => self.edit_map(cluster),
            3 => self.edit_status(cluster),
            4 => self.take_identity(cluster),
            5 => self.flip_label(cluster),
            6 => self.flood(cluster),
            _ => self.annotate(cluster),
        }
    }

    fn any_namespace(&mut self) -> &'static str {
        NAMESPACES[self.chance.index(NAMESPACES.len())]
    }

    /// A spec that cannot be read.
    fn break_offloading(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        let changed = self.api(cluster).change(&offloading_key(namespace), |object| {
            object.malformed = Some("spec.clusterSelector is no map".to_owned());
        });
        self.note(|| {
            format!("somebody in cluster {cluster} breaks the offloading of {namespace}: {changed:?}")
        });
    }

    /// An object that does not go away is made to.
    fn take_finalizer(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        let key = offloading_key(namespace);
        let deleted = self.api(cluster).delete(&key);
        if deleted.is_ok() {
            let _ = self.api(cluster).change(&key, |object| object.finalizers.clear());
            self.truth.forced.insert((cluster, namespace.to_owned()));
            self.namespace_decided(cluster, namespace);
        }
        self.note(|| {
            format!("somebody in cluster {cluster} takes the offloading of {namespace} away: {deleted:?}")
        });
    }

    /// A mapping is taken out by hand, which is a decision too.
    fn edit_map(&mut self, cluster: usize) {
        let namespace = NamespaceName::from(self.any_namespace());
        let maps: Vec<ObjectKey> =
            self.clusters[cluster].api.list(Kind::NamespaceMap).map(|map| map.key.clone()).collect();
        let Some(key) = self.chance.pick(&maps) else { return };
        let mut taken = false;
        let _ = self.api(cluster).change(&key, |object| match &mut object.facts {
            Facts::NamespaceMap(facts) if facts.origin => taken = facts.desired.remove(&namespace).is_some(),
            _ => {}
        });
        let peer = peer_of_map(&key);
        if let (true, Some(peer)) = (taken, peer) {
            self.note(|| format!("somebody in cluster {cluster} takes {namespace} out of {key}"));
            self.truth.mapped_at.remove(&(cluster, namespace.clone(), peer));
            self.truth.allow((cluster, namespace.clone(), peer), self.now);
            self.truth.taken.insert((cluster, namespace, peer));
        }
    }

    fn edit_status(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        let _ = self.api(cluster).change(&offloading_key(namespace), |object| {
            if let Facts::Offloading(facts) = &mut object.facts {
                facts.phase = "Wonderful".to_owned();
                facts.conditions.clear();
            }
        });
        self.note(|| format!("somebody in cluster {cluster} edits the status of {namespace}"));
    }

    fn take_identity(&mut self, cluster: usize) {
        let deleted = self.api(cluster).delete(&identity_key());
        self.note(|| format!("somebody in cluster {cluster} deletes the identity: {deleted:?}"));
    }

    fn flip_label(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        // Before an offloading is taken care of, and after it, nobody has an opinion on the label.
        let offloading = self.api(cluster).get(&offloading_key(namespace));
        if offloading.is_none_or(|offloading| offloading.deleting || offloading.finalizers.is_empty()) {
            return;
        }
        let _ = self.api(cluster).change(&namespace_key(namespace), |object| {
            if let Facts::Namespace(facts) = &mut object.facts {
                facts.scheduling_enabled = !facts.scheduling_enabled;
            }
        });
        self.note(|| format!("somebody in cluster {cluster} flips the label of {namespace}"));
    }

    /// More changes than anybody wants to know of.
    fn flood(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        for count in 0..self.chance.between(20, 90) {
            let _ = self
                .api(cluster)
                .change(&namespace_key(namespace), |object| object.rest = format!("flood {count}"));
        }
        self.note(|| format!("somebody in cluster {cluster} floods namespace {namespace}"));
    }

    fn annotate(&mut self, cluster: usize) {
        let namespace = self.any_namespace();
        let rest = format!("{} note {}", crate::invariants::CANARY, self.chance.below(1000));
        let _ = self.api(cluster).change(&offloading_key(namespace), |object| object.rest = rest);
    }
}
