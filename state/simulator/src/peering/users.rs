//! Administrators who make peerings and end them.

use liqo_events::{Facts, ForeignClusterFacts, NamespaceFacts, OffloadingFacts, PeerTokenFacts, Switch};
use liqo_model::{ClusterId, Kind, ObjectKey};

use crate::api::New;
use crate::user::{identity, namespace_key, offloading_key};
use crate::world::{LIQO, NAMES, World};

pub(super) fn peer_key(peer: usize) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, NAMES[peer])
}

/// The namespace that a consumer extends.
const EXTENDED: &str = "shop";

impl World {
    /// Consumers with their providers.
    pub(super) fn directions(&self) -> Vec<(usize, usize)> {
        let both = self.settings.peering.is_some_and(|peering| peering.both);
        let all = 0..self.clusters.len();
        let consumers = if both { all.clone() } else { 0..1 };
        consumers.flat_map(|one| all.clone().map(move |other| (one, other))).filter(|(a, b)| a != b).collect()
    }

    /// Whether every cluster has an identity.
    pub(super) fn are_identified(&self) -> bool {
        self.clusters.iter().all(|cluster| identity(&cluster.api).is_some())
    }

    fn id(&self, cluster: usize) -> ClusterId {
        identity(&self.clusters[cluster].api).unwrap_or_default()
    }

    fn ask(&mut self, cluster: usize, key: ObjectKey, facts: Facts) {
        let at = self.wall(cluster);
        let made = self.api(cluster).create(New::of(key.clone(), facts), at);
        self.note(|| format!("an administrator of {} makes {key}: {made:?}", NAMES[cluster]));
    }

    /// Everybody peers, and consumers extend a namespace.
    pub(super) fn introduce(&mut self) {
        for (consumer, provider) in self.directions() {
            let peer = self.id(provider);
            let token = ObjectKey::local(Kind::Secret, LIQO, format!("remote-token-{peer}"));
            self.ask(consumer, token, Facts::PeerToken(PeerTokenFacts { peer: peer.clone() }));
            let facts = ForeignClusterFacts {
                cluster_id: peer,
                cluster_name: NAMES[provider].into(),
                auth_url: format!("https://172.18.{}.1:30443", provider + 1),
                discovery_type: "manual".to_owned(),
                outgoing: Switch::Yes,
                ..ForeignClusterFacts::default()
            };
            self.ask(consumer, peer_key(provider), Facts::ForeignCluster(facts));
            self.ask(consumer, namespace_key(EXTENDED), Facts::Namespace(NamespaceFacts::default()));
            let offloading = OffloadingFacts::default();
            self.ask(consumer, offloading_key(EXTENDED), Facts::Offloading(offloading));
        }
    }

    /// Consumers want something of their providers, or want nothing any more.
    pub(super) fn switch(&mut self, outgoing: Switch) {
        for (consumer, provider) in self.directions() {
            let key = self.foreign_cluster(consumer, provider).unwrap_or_else(|| peer_key(provider));
            let changed = self.api(consumer).change(&key, |object| {
                if let Facts::ForeignCluster(facts) = &mut object.facts {
                    facts.outgoing = outgoing;
                }
            });
            self.note(|| format!("an administrator of {} says {outgoing:?}: {changed:?}", NAMES[consumer]));
        }
    }

    /// The object by which a cluster knows a peer, whoever made it.
    pub(super) fn foreign_cluster(&self, cluster: usize, peer: usize) -> Option<ObjectKey> {
        let id = self.id(peer);
        let all = self.clusters[cluster].api.list(Kind::ForeignCluster);
        let known = all.filter(|object| match &object.facts {
            Facts::ForeignCluster(facts) => facts.cluster_id == id,
            _ => false,
        });
        known.map(|object| object.key.clone()).next()
    }

    /// Everybody forgets everybody.
    pub(super) fn forget_everybody(&mut self) {
        for (consumer, provider) in self.directions() {
            if let Some(key) = self.foreign_cluster(consumer, provider) {
                let deleted = self.api(consumer).delete(&key);
                self.note(|| format!("an administrator of {} deletes {key}: {deleted:?}", NAMES[consumer]));
            }
        }
    }
}
