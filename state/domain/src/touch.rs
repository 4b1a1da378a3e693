//! Which aggregates an event makes worth a plan.
//!
//! What is about one peer is planned for that peer alone, so a change of one of two hundred costs what it costs with one.
//! Where it cannot be told whom an object is about, everybody is looked at: too much is slow, too little would strand
//! something.

use std::collections::BTreeSet;

use liqo_events::{Event, Facts, ForeignClusterFacts, Labels, ServerProbed, Slot, WatchKey};
use liqo_model::{ClusterId, ClusterName, ClusterRef, Kind, NamespaceName, ObjectKey};

use crate::about::{Whose, about};
use crate::aggregate::Aggregate;
use crate::state::State;
use crate::{network, offloading, shadows};

/// What names of tenant namespaces begin with.
const TENANT_PREFIX: &str = "liqo-tenant-";
/// What names of pods begin with that the Deployment of a virtual kubelet makes.
const KUBELET_PREFIX: &str = "virtual-kubelet-";

/// Kinds of which there are copies in other clusters, or that are made after such.
const COPIED: [Kind; 9] = [
    Kind::Pod,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Ingress,
    Kind::ServiceAccount,
    Kind::ShadowPod,
    Kind::ShadowEndpointSlice,
];

/// What an object says before and after an event; neither when the event is about a command for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change<'a> {
    pub before: Option<&'a Facts>,
    pub after: Option<&'a Facts>,
    /// Another life has begun, or the end of this one.
    pub turns: bool,
}

impl<'a> Change<'a> {
    /// Nothing is known of it but that it is not about facts.
    fn is_of_command(&self) -> bool {
        self.before.is_none() && self.after.is_none()
    }

    /// What was said before that still counts: a new life has nothing in common with the old one, and one that goes is
    /// another thing than one that stays.
    fn still(&self) -> Option<&'a Facts> {
        self.before.filter(|_| !self.turns)
    }
}

impl State {
    /// Marks the aggregates whose plan depends on an object.
    pub(crate) fn touch_object(&mut self, key: &ObjectKey, change: Change<'_>) {
        if self.derived.replays {
            return;
        }
        self.touch_peerings(key, change);
        if COPIED.contains(&key.kind) {
            self.touch(Aggregate::Copy(key.clone()));
        }
        if key.cluster != ClusterRef::Local {
            return;
        }
        let (before, after) = (change.still(), change.after);
        match key.kind {
            Kind::ConfigMap => self.touch(Aggregate::Identity),
            Kind::Namespace => {
                if before.is_none() || after.is_none() {
                    self.touch_shadows_in(&key.name);
                }
                self.touch(Aggregate::Offloading(NamespaceName::new(key.name.as_str())));
            }
            Kind::NamespaceOffloading => {
                self.touch(Aggregate::Offloading(NamespaceName::new(key.namespace.as_str())));
                self.touch(Aggregate::Orphans);
            }
            Kind::NamespaceMap => self.touch_mappings(before, after),
            Kind::Node if labels_of(before) != labels_of(after) => self.touch(Aggregate::Offloadings),
            _ => {}
        }
    }

    /// Marks the aggregates whose plan depends on a command.
    pub(crate) fn touch_slot(&mut self, slot: &Slot) {
        if self.derived.replays {
            return;
        }
        let key = slot.object.clone();
        match slot.part.strip_prefix("mapping:") {
            Some(namespace) if key.kind == Kind::NamespaceMap => {
                self.touch(Aggregate::Offloading(NamespaceName::new(namespace)));
                self.touch(Aggregate::Orphans);
            }
            // Nothing but the mappings of a map is decided with the offloadings.
            _ if key.kind == Kind::NamespaceMap => self.touch_peerings(&key, Change::default()),
            _ => self.touch_object(&key, Change::default()),
        }
    }

    /// Marks what waits for complete lists.
    pub(crate) fn touch_listed(&mut self, watch: &WatchKey) {
        let kind = watch.kind;
        if COPIED.contains(&kind) {
            self.touch(Aggregate::Copies);
        }
        if let ClusterRef::Remote(peer) = &watch.cluster {
            self.touch(Aggregate::Peer(peer.clone()));
            self.touch(Aggregate::ReplicationTo(peer.clone()));
            return;
        }
        waiting_for(kind).iter().for_each(|aggregate| self.touch(aggregate.clone()));
        if offloading::DECIDED_ON.contains(&kind) {
            self.touch(Aggregate::Offloadings);
            self.touch(Aggregate::Orphans);
        }
    }

    /// Marks what depends on something that is no object.
    pub(crate) fn touch_surroundings(&mut self, event: &Event) {
        let (peer, all) = match event {
            Event::TunnelReported(body) => (Some(&body.peer), None),
            Event::ServerProbed(ServerProbed { cluster: ClusterRef::Remote(peer), .. }) => (Some(peer), None),
            Event::ShareReported(body) => (Some(&body.peer), None),
            // Whoever waited for a network may have one now.
            Event::SubnetsChosen(body) => (Some(&body.peer), Some(Aggregate::Network)),
            Event::SubnetsReleased(body) => (Some(&body.peer), Some(Aggregate::Network)),
            Event::ExternalCidrChosen(_) => (None, Some(Aggregate::Network)),
            _ => {
                let all = [Aggregate::Peers, Aggregate::Network, Aggregate::Node, Aggregate::Copies];
                return all.into_iter().for_each(|aggregate| self.touch(aggregate));
            }
        };
        if let Some(peer) = peer {
            self.touch(Aggregate::Peer(peer.clone()));
            self.touch(Aggregate::NetworkWith(peer.clone()));
        }
        all.into_iter().for_each(|aggregate| self.touch(aggregate));
    }

    /// Marks what depends on an object beside itself, in whatever cluster it is.
    fn touch_peerings(&mut self, key: &ObjectKey, change: Change<'_>) {
        match key.kind {
            Kind::Secret => self.touch_each(key, change, &[PEER, REPLICATION]),
            Kind::Deployment | Kind::ServiceAccount => self.touch_owner(&key.namespace),
            Kind::ClusterRoleBinding => self.touch(Aggregate::Peers),
            Kind::RoleBinding => {
                self.touch_owner(&key.namespace);
                self.touch(Aggregate::Namespaces);
            }
            Kind::ForeignCluster => self.touch_foreign_cluster(key, change),
            Kind::ResourceRequest | Kind::ResourceOffer => {
                self.touch_each(key, change, &[PEER, REPLICATION]);
                self.touch(Aggregate::Node);
            }
            Kind::NetworkConfig | Kind::TunnelEndpoint | Kind::IpamStorage | Kind::NatMapping => {
                self.touch_network(key, change);
            }
            Kind::NamespaceMap => {
                self.touch_each(key, change, &[PEER, REPLICATION]);
                self.touch(Aggregate::Namespaces);
                // For a virtual kubelet it says which namespaces extend.
                if self.kubelet().is_some() && !change.is_of_command() {
                    self.touch(Aggregate::Copies);
                }
            }
            Kind::Node => self.touch_node(key, change),
            Kind::Namespace => {
                self.touch_tenant(key, change);
                self.touch(Aggregate::Namespaces);
            }
            Kind::CertificateSigningRequest => self.touch(Aggregate::Signing),
            Kind::Service if key.cluster == ClusterRef::Local => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Network);
            }
            Kind::Pod => self.touch_pod(key, change),
            _ => {}
        }
    }

    /// A ForeignCluster that appears, goes or gets other names can be the one that another waits for: names of objects are
    /// made of its own.
    fn touch_foreign_cluster(&mut self, key: &ObjectKey, change: Change<'_>) {
        self.touch(Aggregate::Node);
        if key.cluster != ClusterRef::Local || change.is_of_command() {
            return self.touch_each(key, change, &[PEER]);
        }
        let (before, after) = (foreign(change.before), foreign(change.after));
        if before.map(names) != after.map(names) {
            for all in [Aggregate::Peers, Aggregate::Signing, Aggregate::Replication, Aggregate::Network] {
                self.touch(all);
            }
        } else {
            let part = |facts: Option<&ForeignClusterFacts>| facts.map(network::part_in_network);
            let same_part = !change.turns && part(before) == part(after);
            self.touch_each(key, change, &[PEER, REPLICATION, NETWORK]);
            if !same_part {
                self.touch(Aggregate::Network);
            }
        }
        if shadows::reach(change.still()) != shadows::reach(change.after) {
            self.touch_slices(key, change);
        }
    }

    /// What of a peer's endpoints is shown depends on whether it can be reached.
    fn touch_slices(&mut self, key: &ObjectKey, change: Change<'_>) {
        for peer in self.peers_of(key, change).into_iter().flatten() {
            let slices = self.local_about(Whose::Of(&peer), Kind::ShadowEndpointSlice);
            let slices: Vec<ObjectKey> = slices.map(|(slice, _)| slice.clone()).collect();
            slices.into_iter().for_each(|slice| self.touch(Aggregate::Copy(slice)));
        }
    }

    /// Networks of all peers are chosen together, and all of them are in the IpamStorage; a tunnel is between two.
    fn touch_network(&mut self, key: &ObjectKey, change: Change<'_>) {
        self.touch(Aggregate::Node);
        let chosen = key.kind == Kind::NetworkConfig && !change.is_of_command();
        match key.kind {
            Kind::IpamStorage => return self.touch(Aggregate::Network),
            Kind::NatMapping => {
                self.touch(Aggregate::Network);
                return self.touch(Aggregate::Peers);
            }
            _ if chosen => self.touch(Aggregate::Network),
            _ => self.touch_each(key, change, &[NETWORK]),
        }
        self.touch_each(key, change, &[PEER, REPLICATION]);
    }

    /// Peers are told addresses of real nodes; a virtual one is about its peer.
    fn touch_node(&mut self, key: &ObjectKey, change: Change<'_>) {
        self.touch(Aggregate::Node);
        let concerned = self.concerned(key, change);
        let is_real = concerned.is_empty();
        concerned.into_iter().for_each(|peer| self.touch(Aggregate::Peer(peer)));
        let unknown = is_real && change.is_of_command();
        if unknown || real(change.still()) != real(change.after) {
            self.touch(Aggregate::Peers);
            self.touch(Aggregate::Network);
        }
    }

    /// A tenant namespace is about its peer; one that has the name but not the label may be in the way of another.
    fn touch_tenant(&mut self, key: &ObjectKey, change: Change<'_>) {
        let concerned = self.concerned(key, change);
        let same = about(key.kind, change.before).eq(about(key.kind, change.after));
        let settled = same && !concerned.is_empty();
        concerned.into_iter().for_each(|peer| self.touch(Aggregate::Peer(peer)));
        if key.name.starts_with(TENANT_PREFIX) && !settled {
            self.touch(Aggregate::Peers);
        }
    }

    fn touch_pod(&mut self, key: &ObjectKey, change: Change<'_>) {
        if key.cluster != ClusterRef::Local {
            return;
        }
        let install = self.started.as_ref().map(|started| started.body.namespace.as_str());
        // The gateway is among our own.
        if install == Some(key.namespace.as_str()) {
            self.touch(Aggregate::Network);
        } else if key.name.starts_with(KUBELET_PREFIX) {
            self.touch_owner(&key.namespace);
        }
        // The virtual node goes when its last pod has gone.
        if change.after.is_none() && !change.is_of_command() {
            self.touch(Aggregate::Node);
        }
    }

    /// Marks the peer whose tenant namespace this is. What is in other namespaces is about no peer.
    fn touch_owner(&mut self, namespace: &str) {
        match self.tenant_in(namespace).map(Option::<&ClusterId>::cloned) {
            Some(Some(peer)) => self.touch(Aggregate::Peer(peer)),
            Some(None) => {}
            None => self.touch(Aggregate::Peers),
        }
    }

    /// Marks aggregates of every peer that an object may be about; those of all when nobody can tell which.
    fn touch_each(&mut self, key: &ObjectKey, change: Change<'_>, aggregates: &[(OfPeer, Aggregate)]) {
        let peers = self.peers_of(key, change);
        for (of_peer, of_all) in aggregates {
            match &peers {
                Some(peers) => peers.iter().for_each(|peer| self.touch(of_peer(peer.clone()))),
                None => self.touch(of_all.clone()),
            }
        }
    }

    /// The peers that an object may be about; nothing when it says none, nor where it is.
    fn peers_of(&self, key: &ObjectKey, change: Change<'_>) -> Option<BTreeSet<ClusterId>> {
        if let ClusterRef::Remote(peer) = &key.cluster {
            return Some([peer.clone()].into());
        }
        let mut peers = self.concerned(key, change);
        if !key.namespace.is_empty() {
            peers.extend(self.tenant_in(&key.namespace).flatten().cloned());
        }
        (!peers.is_empty()).then_some(peers)
    }

    /// The peers that an object says it is about.
    fn concerned(&self, key: &ObjectKey, change: Change<'_>) -> BTreeSet<ClusterId> {
        let known = if change.is_of_command() { self.objects.get(key) } else { None };
        let said = about(key.kind, change.before).chain(about(key.kind, change.after));
        said.chain(about(key.kind, known.map(|known| &known.facts))).cloned().collect()
    }

    /// Marks the shadows in a namespace that came or goes: nothing can be made in one that is being deleted.
    fn touch_shadows_in(&mut self, namespace: &str) {
        for kind in [Kind::ShadowPod, Kind::ShadowEndpointSlice] {
            let keys: Vec<ObjectKey> = self.local_in(namespace, kind).map(|(key, _)| key.clone()).collect();
            keys.into_iter().for_each(|key| self.touch(Aggregate::Copy(key)));
        }
    }

    /// A map carries every offloaded namespace of a peer; only those that differ are planned again.
    fn touch_mappings(&mut self, before: Option<&Facts>, after: Option<&Facts>) {
        let (Some(Facts::NamespaceMap(before)), Some(Facts::NamespaceMap(after))) = (before, after) else {
            self.touch(Aggregate::Offloadings);
            self.touch(Aggregate::Orphans);
            return;
        };
        if before.origin != after.origin || before.remote_cluster != after.remote_cluster {
            self.touch(Aggregate::Offloadings);
        }
        let desired = before.desired.keys().chain(after.desired.keys());
        let current =
            before.current.keys().chain(after.current.keys()).map(|name| NamespaceName::new(name.as_str()));
        let names: Vec<NamespaceName> = desired
            .cloned()
            .chain(current)
            .filter(|name| {
                before.desired.get(name) != after.desired.get(name)
                    || before.current.get(name.as_str()) != after.current.get(name.as_str())
            })
            .collect();
        for name in names {
            self.touch(Aggregate::Offloading(name));
        }
        self.touch(Aggregate::Orphans);
    }
}

/// The aggregate of one peer.
type OfPeer = fn(ClusterId) -> Aggregate;

/// Each with the one that stands for all.
const PEER: (OfPeer, Aggregate) = (Aggregate::Peer, Aggregate::Peers);
const REPLICATION: (OfPeer, Aggregate) = (Aggregate::ReplicationTo, Aggregate::Replication);
const NETWORK: (OfPeer, Aggregate) = (Aggregate::NetworkWith, Aggregate::Network);

/// What waits for a complete list of a kind.
fn waiting_for(kind: Kind) -> &'static [Aggregate] {
    use Aggregate::{Copies, Identity, Namespaces, Network, Node, Peers, Replication, Signing};
    match kind {
        Kind::ConfigMap => &[Identity],
        Kind::Secret => &[Peers, Replication],
        Kind::Deployment | Kind::ServiceAccount | Kind::ClusterRoleBinding => &[Peers],
        Kind::RoleBinding => &[Peers, Namespaces],
        Kind::ForeignCluster => &[Peers, Signing, Replication, Network, Node, Copies],
        Kind::ResourceRequest | Kind::ResourceOffer => &[Peers, Replication, Node],
        Kind::NetworkConfig | Kind::TunnelEndpoint | Kind::IpamStorage | Kind::NatMapping => {
            &[Peers, Network, Replication, Node]
        }
        Kind::NamespaceMap => &[Peers, Replication, Namespaces, Copies],
        Kind::Node => &[Peers, Network, Node],
        Kind::Namespace => &[Peers, Namespaces],
        Kind::CertificateSigningRequest => &[Signing],
        Kind::Service => &[Peers, Network],
        Kind::Pod => &[Peers, Network, Node],
        _ => &[],
    }
}

fn foreign(facts: Option<&Facts>) -> Option<&ForeignClusterFacts> {
    match facts {
        Some(Facts::ForeignCluster(facts)) => Some(facts),
        _ => None,
    }
}

/// What names of other objects are made of.
fn names(facts: &ForeignClusterFacts) -> (&ClusterId, &ClusterName, &NamespaceName) {
    (&facts.cluster_id, &facts.cluster_name, &facts.tenant_local)
}

/// What peers are told of a node.
fn real(facts: Option<&Facts>) -> Option<(bool, &[(String, String)])> {
    match facts {
        Some(Facts::Node(node)) if !node.is_virtual => Some((node.ready, &node.addresses)),
        _ => None,
    }
}

/// What selectors say of a node.
fn labels_of(facts: Option<&Facts>) -> Option<(bool, &Labels)> {
    match facts {
        Some(Facts::Node(node)) => Some((node.is_virtual, &node.labels)),
        _ => None,
    }
}
