//! The world without faults that a run is compared with, and what of the two is compared.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{
    Condition, Facts, ForeignClusterFacts, NamespaceFacts, NamespaceMapFacts, OffloadingFacts, UnixMillis,
};
use liqo_model::{ClusterId, Kind, ObjectKey};

use crate::api::{ApiServer, New};
use crate::invariants::{Checked, ensure};
use crate::process::owned_by;
use crate::settings::Settings;
use crate::user::offloading_key;
use crate::world::World;

/// What users and other programs see of a cluster: no times, no uids, no versions.
type View = BTreeMap<ObjectKey, Facts>;

impl World {
    /// Compares with a world in which users wanted the same from the beginning and nothing went wrong.
    pub(crate) fn check_convergence(&self, seed: u64) -> Checked {
        let mut twin = self.twin(seed);
        twin.settle()?;
        for (index, (ours, theirs)) in self.clusters.iter().zip(&twin.clusters).enumerate() {
            // An offloading that is there looks after the label, whatever became of an earlier one.
            let forced =
                self.truth.forced.iter().filter(|(cluster, name)| {
                    *cluster == index && ours.api.get(&offloading_key(name)).is_none()
                });
            let forced: BTreeSet<&str> = forced.map(|(_, name)| name.as_str()).collect();
            let (ours, theirs) = (view(&ours.api, &forced), view(&theirs.api, &forced));
            compare("what_users_want_is_reached_whatever_happened", &ours, &theirs)?;
        }
        Ok(())
    }

    /// Deletes every volume and sees that nothing changes: **deleting the volume reconverges**.
    pub(crate) fn check_deleting_the_volumes(&mut self) -> Checked {
        let before = self.writes();
        let views: Vec<View> =
            self.clusters.iter().map(|cluster| view(&cluster.api, &BTreeSet::new())).collect();
        self.lose_all_volumes()?;
        for (cluster, before) in self.clusters.iter().zip(&views) {
            compare("deleting_the_volume_reconverges", &view(&cluster.api, &BTreeSet::new()), before)?;
        }
        ensure(before == self.writes(), "a_start_with_nothing_to_do_writes_nothing", || {
            format!("{before:?} writes before and {:?} after", self.writes())
        })
    }

    fn twin(&self, seed: u64) -> World {
        let settings = Settings { faults: BTreeSet::new(), planted: None, ..self.settings.clone() };
        let mut twin = World::new(seed, &settings);
        twin.calm = true;
        for (ours, theirs) in self.clusters.iter().zip(&mut twin.clusters) {
            let leftovers = leftovers(&ours.api);
            // Namespaces first, since the others are in them.
            let mut objects: Vec<_> = ours.api.objects().collect();
            objects.sort_by_key(|object| (object.key.kind != Kind::Namespace, object.key.clone()));
            for object in objects.into_iter().filter(|object| !object.deleting) {
                let Some(facts) = wanted(&object.facts, &object.rest, &leftovers) else { continue };
                let new = New { rest: object.rest.clone(), ..New::of(object.key.clone(), facts) };
                // It is there already when it is part of an installation.
                let _ = theirs.api.create(new, object.created_at);
            }
            leave_maps(&ours.api, &mut theirs.api);
        }
        twin
    }
}

/// The map of a peer that is not known any more stays while its node does, and nobody would make it now.
fn leave_maps(ours: &ApiServer, theirs: &mut ApiServer) {
    let explained: BTreeSet<ClusterId> = processable(ours).collect();
    for map in ours.list(Kind::NamespaceMap) {
        let Facts::NamespaceMap(facts) = &map.facts else { continue };
        let remote_cluster = facts.remote_cluster.clone();
        if !facts.origin || explained.contains(&remote_cluster) {
            continue;
        }
        let node = theirs.list(Kind::Node).find(|node| match &node.facts {
            Facts::Node(node) => node.remote_cluster == remote_cluster,
            _ => false,
        });
        let Some(rest) = node.map(|node| owned_by(&node.uid)) else { continue };
        let facts = NamespaceMapFacts { remote_cluster, origin: true, ..NamespaceMapFacts::default() };
        let new = New { rest, ..New::of(map.key.clone(), Facts::NamespaceMap(facts)) };
        let _ = theirs.create(new, map.created_at);
    }
}

/// Peers of tenant namespaces that no ForeignCluster explains any more.
fn leftovers(api: &ApiServer) -> BTreeSet<ClusterId> {
    let explained: BTreeSet<ClusterId> = processable(api).collect();
    let tenants = api.list(Kind::Namespace).filter_map(|namespace| match &namespace.facts {
        Facts::Namespace(facts) if !facts.tenant_of.is_empty() => Some(facts.tenant_of.clone()),
        _ => None,
    });
    tenants.filter(|id| !explained.contains(id)).collect()
}

fn processable(api: &ApiServer) -> impl Iterator<Item = ClusterId> {
    api.list(Kind::ForeignCluster).filter_map(|peer| match &peer.facts {
        Facts::ForeignCluster(facts) if is_processable(facts) => Some(facts.cluster_id.clone()),
        _ => None,
    })
}

fn is_processable(facts: &ForeignClusterFacts) -> bool {
    facts.conditions.iter().any(|condition| condition.status == "Success")
}

/// What of an object users wanted; nothing when no user made it.
fn wanted(facts: &Facts, rest: &str, leftovers: &BTreeSet<ClusterId>) -> Option<Facts> {
    match facts {
        Facts::ClusterIdentity(_) | Facts::Node(_) => Some(facts.clone()),
        Facts::Namespace(namespace) => {
            let of_users = namespace.tenant_of.is_empty() && !rest.contains("made for");
            let left = leftovers.contains(&namespace.tenant_of);
            let tenant_of = namespace.tenant_of.clone();
            (of_users || left)
                .then(|| Facts::Namespace(NamespaceFacts { tenant_of, ..NamespaceFacts::default() }))
        }
        Facts::ForeignCluster(peer) => Some(Facts::ForeignCluster(ForeignClusterFacts {
            labelled_id: "".into(),
            finalizers: Vec::new(),
            tenant_local: "".into(),
            conditions: Vec::new(),
            ..peer.clone()
        })),
        Facts::Offloading(offloading) => Some(Facts::Offloading(OffloadingFacts {
            mapping: offloading.mapping,
            pods: offloading.pods,
            selector: offloading.selector.clone(),
            // Chosen once, maybe with an identity that is no more.
            remote_name: offloading.remote_name.clone(),
            ..OffloadingFacts::default()
        })),
        _ => None,
    }
}

/// What is compared of a cluster. `forced` are namespaces whose label nobody looks after any more.
fn view(api: &ApiServer, forced: &BTreeSet<&str>) -> View {
    let leftovers = leftovers(api);
    let explained: BTreeSet<ClusterId> = processable(api).collect();
    let mut view = View::new();
    for object in api.objects() {
        let mut facts = object.facts.clone();
        match &mut facts {
            Facts::Namespace(namespace) => {
                // Whatever is in a provider and wanted by nobody was lost sight of by an earlier life of the consumer.
                let left = leftovers.contains(&namespace.tenant_of) || object.rest.contains("made for");
                if left {
                    continue;
                }
                namespace.scheduling_enabled &= !forced.contains(object.key.name.as_str());
            }
            Facts::ForeignCluster(peer) => {
                timeless(&mut peer.conditions);
                if !is_processable(peer) {
                    peer.tenant_local = "".into();
                }
            }
            Facts::Offloading(offloading) => {
                offloading.conditions.values_mut().for_each(|conditions| timeless(conditions));
                // How often users changed their mind is not compared, but that it was seen.
                offloading.observed_generation -= object.generation;
            }
            // Nobody looks after the node of a peer that is not known any more, until it is deleted.
            Facts::Node(node) => node.finalizer &= explained.contains(&node.remote_cluster),
            // The provider's copy is a model's.
            Facts::NamespaceMap(map) if !map.origin => continue,
            _ => {}
        }
        view.insert(object.key.clone(), facts);
    }
    view
}

fn timeless(conditions: &mut [Condition]) {
    conditions.iter_mut().for_each(|condition| condition.since = UnixMillis::default());
}

fn compare(invariant: &'static str, ours: &View, theirs: &View) -> Checked {
    let keys: BTreeSet<&ObjectKey> = ours.keys().chain(theirs.keys()).collect();
    for key in keys {
        let (ours, theirs) = (ours.get(key), theirs.get(key));
        ensure(ours == theirs, invariant, || format!("{key} is\n  {ours:?}\nand should be\n  {theirs:?}"))?;
    }
    Ok(())
}
