//! Administrators who make peerings and end them.

use liqo_events::{Facts, ForeignClusterFacts, NodeFacts};
use liqo_model::ClusterId;

use super::objects::{REGIONS, identity, node_key, peer_key};
use crate::world::{NAMES, World};

/// No tenant namespace can have this in its name.
const TOO_LONG: &str = "a-name-that-is-much-too-long-for-the-namespace-of-a-tenant";

impl World {
    fn other(&mut self, cluster: usize) -> usize {
        let step = 1 + self.chance.index(self.clusters.len().saturating_sub(1).max(1));
        (cluster + step) % self.clusters.len()
    }

    /// Mostly the peer as it is; now and then oneself, a stranger, or the peer once more.
    pub(super) fn know_peer(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        let kind = self.chance.below(12);
        let id = match kind {
            0 => identity(&self.clusters[cluster].api),
            1 => Some(ClusterId::from("stranger")),
            _ => identity(&self.clusters[peer].api),
        };
        let Some(id) = id else { return };
        match kind {
            0 => self.know_as(cluster, "me", (id, NAMES[peer])),
            1 => self.know_as(cluster, TOO_LONG, (id, TOO_LONG)),
            2 => self.know_as(cluster, &format!("{}-again", NAMES[peer]), (id, NAMES[peer])),
            _ => self.know_as(cluster, NAMES[peer], (id, NAMES[peer])),
        }
    }

    /// The peer becomes known as it is.
    pub(super) fn know(&mut self, cluster: usize, peer: usize) {
        if let Some(id) = identity(&self.clusters[peer].api) {
            self.know_as(cluster, NAMES[peer], (id, NAMES[peer]));
        }
    }

    fn know_as(&mut self, cluster: usize, name: &str, (cluster_id, cluster_name): (ClusterId, &str)) {
        let facts = ForeignClusterFacts {
            cluster_id,
            cluster_name: cluster_name.into(),
            auth_url: "https://auth.example".to_owned(),
            discovery_type: "manual".to_owned(),
            ..ForeignClusterFacts::default()
        };
        self.make(cluster, peer_key(name), Facts::ForeignCluster(facts));
    }

    pub(super) fn forget_peer(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        let name =
            if self.chance.one_in(3) { format!("{}-again", NAMES[peer]) } else { NAMES[peer].to_owned() };
        let deleted = self.api(cluster).delete(&peer_key(&name));
        self.note(|| format!("user in cluster {cluster} deletes ForeignCluster {name}: {deleted:?}"));
    }

    pub(super) fn change_peer(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        let url = self.chance.pick(&["", "http://proxy.example:3128", "proxy.example"]).unwrap_or_default();
        let changed = self.api(cluster).change(&peer_key(NAMES[peer]), |object| {
            if let Facts::ForeignCluster(facts) = &mut object.facts {
                url.clone_into(&mut facts.proxy_url);
            }
        });
        self.note(|| format!("user in cluster {cluster} sets proxy {url:?} of {}: {changed:?}", NAMES[peer]));
    }

    /// The peering is made: the peer has a node. The rest follows.
    pub(super) fn peer(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        self.peer_with(cluster, peer);
    }

    pub(super) fn peer_with(&mut self, cluster: usize, peer: usize) {
        let known = self.clusters[cluster].api.get(&peer_key(NAMES[peer])).map(|object| object.facts.clone());
        let Some(Facts::ForeignCluster(facts)) = known else { return };
        let region = REGIONS[self.chance.index(REGIONS.len())];
        let labels = [("region", region)].into();
        let there = self.api(cluster).get(&node_key(peer)).is_some();
        let node =
            NodeFacts { is_virtual: true, remote_cluster: facts.cluster_id, labels, ..NodeFacts::default() };
        self.make(cluster, node_key(peer), Facts::Node(node));
        if !there {
            self.node_decided(cluster, peer);
        }
    }

    pub(super) fn change_node(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        let region = REGIONS[self.chance.index(REGIONS.len())];
        let changed = self.api(cluster).change(&node_key(peer), |object| {
            if let Facts::Node(facts) = &mut object.facts {
                facts.labels.insert("region", region);
            }
        });
        self.note(|| {
            format!("user in cluster {cluster} moves node {} to {region}: {changed:?}", NAMES[peer])
        });
        if changed.is_ok() {
            self.node_decided(cluster, peer);
        }
    }

    /// The peering ends: the node goes, and with it everything in the peer.
    pub(super) fn unpeer(&mut self, cluster: usize) {
        let peer = self.other(cluster);
        let deleted = self.api(cluster).delete(&node_key(peer));
        self.note(|| format!("user in cluster {cluster} unpeers from {}: {deleted:?}", NAMES[peer]));
        if deleted.is_ok() {
            self.node_decided(cluster, peer);
        }
    }
}
