//! Everything that peerings are made of, sorted by peer: gathered once a plan.

use std::collections::BTreeMap;

use liqo_events::{
    Facts, ForeignClusterFacts, IdentityChosen, NamespaceMapFacts, NetworkConfigFacts, NodeFacts,
    Replication, ResourceOfferFacts, ResourceRequestFacts, Seq, TunnelEndpointFacts,
};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey};

use crate::state::{Object, State};
use crate::watching::{Link, links};

/// An object as it was last seen.
pub(crate) struct Seen<'a, F> {
    pub key: &'a ObjectKey,
    pub object: &'a Object,
    pub facts: &'a F,
}

impl<F> Clone for Seen<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Seen<'_, F> {}

/// A ForeignCluster as it was last seen.
pub(crate) type Peer<'a> = Seen<'a, ForeignClusterFacts>;

/// Objects of one kind by the cluster that they are about.
type ByPeer<'a, F> = BTreeMap<&'a ClusterId, Vec<Seen<'a, F>>>;

/// Objects that are sent to peers, and those that came from them.
pub(super) struct Exchanged<'a, F> {
    sent: ByPeer<'a, F>,
    received: ByPeer<'a, F>,
}

impl<'a, F> Exchanged<'a, F> {
    /// Those for a peer.
    pub(super) fn sent(&self, peer: &ClusterId) -> &[Seen<'a, F>] {
        self.sent.get(peer).map_or(&[], Vec::as_slice)
    }

    /// Those of a peer.
    pub(super) fn received(&self, peer: &ClusterId) -> &[Seen<'a, F>] {
        self.received.get(peer).map_or(&[], Vec::as_slice)
    }

    /// Those of all peers.
    pub(super) fn all_received(&self) -> impl Iterator<Item = Seen<'a, F>> {
        self.received.values().flatten().copied()
    }

    /// Those for all peers.
    pub(super) fn all_sent(&self) -> impl Iterator<Item = Seen<'a, F>> {
        self.sent.values().flatten().copied()
    }
}

/// Everything that peerings are made of.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) home: &'a IdentityChosen,
    /// Tenant namespaces, of which a peer has one; of several the first by name counts.
    pub(super) tenants: BTreeMap<&'a ClusterId, (&'a ObjectKey, &'a Object)>,
    /// Identities at peers.
    pub(super) links: BTreeMap<ClusterId, Link>,
    /// When the token of a peer was seen.
    pub(super) tokens: BTreeMap<&'a ClusterId, Seq>,
    /// The ForeignCluster of each peer that counts, which is the oldest of those with its ID.
    pub(super) peers: BTreeMap<&'a ClusterId, Peer<'a>>,
    pub(super) requests: Exchanged<'a, ResourceRequestFacts>,
    pub(super) offers: Exchanged<'a, ResourceOfferFacts>,
    pub(super) maps: Exchanged<'a, NamespaceMapFacts>,
    pub(super) networks: Exchanged<'a, NetworkConfigFacts>,
    pub(super) tunnels: ByPeer<'a, TunnelEndpointFacts>,
    pub(super) nodes: ByPeer<'a, NodeFacts>,
}

impl<'a> View<'a> {
    /// Nothing before the cluster knows who it is.
    pub(super) fn of(state: &'a State) -> Option<Self> {
        let tenants = tenants(state);
        let requests = exchanged(state, &tenants, Kind::ResourceRequest, |facts| match facts {
            Facts::ResourceRequest(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let offers = exchanged(state, &tenants, Kind::ResourceOffer, |facts| match facts {
            Facts::ResourceOffer(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let maps = exchanged(state, &tenants, Kind::NamespaceMap, |facts| match facts {
            Facts::NamespaceMap(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let networks = exchanged(state, &tenants, Kind::NetworkConfig, |facts| match facts {
            Facts::NetworkConfig(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let tunnels = seen(state, Kind::TunnelEndpoint, |facts| match facts {
            Facts::TunnelEndpoint(facts) => Some(facts),
            _ => None,
        });
        let nodes = seen(state, Kind::Node, |facts| match facts {
            Facts::Node(facts) if facts.is_virtual => Some(facts),
            _ => None,
        });
        Some(Self {
            state,
            home: &state.identity.as_ref()?.body,
            links: links(state),
            tokens: tokens(state),
            peers: counting(state),
            tunnels: by_peer(tunnels, |tunnel| &tunnel.facts.spec.cluster_id),
            nodes: by_peer(nodes, |node| &node.facts.remote_cluster),
            tenants,
            requests,
            offers,
            maps,
            networks,
        })
    }

    /// The tenant namespace of a peer.
    pub(super) fn tenant(&self, peer: &ClusterId) -> Option<NamespaceName> {
        self.tenants.get(peer).map(|(key, _)| NamespaceName::new(key.name.as_str()))
    }

    /// The first virtual node of a peer.
    pub(super) fn node(&self, peer: &ClusterId) -> Option<Seen<'a, NodeFacts>> {
        self.nodes.get(peer).and_then(|nodes| nodes.first()).copied()
    }

    /// Whether all of these kinds were listed completely.
    pub(super) fn knows(&self, kinds: &[Kind]) -> bool {
        kinds.iter().all(|kind| self.state.local_list(*kind).is_some())
    }

    /// Where the newest list of these kinds was recorded: what makes absence known.
    pub(super) fn listed(&self, kinds: &[Kind]) -> Seq {
        let lists = kinds.iter().filter_map(|kind| self.state.local_list(*kind));
        lists.map(|list| list.seq).max().unwrap_or_default()
    }
}

/// Local objects of a kind whose facts are of that kind.
pub(crate) fn seen<'a, F: 'a>(
    state: &'a State,
    kind: Kind,
    pick: fn(&Facts) -> Option<&F>,
) -> impl Iterator<Item = Seen<'a, F>> {
    state
        .local(kind)
        .filter_map(move |(key, object)| pick(&object.facts).map(|facts| Seen { key, object, facts }))
}

/// Every ForeignCluster.
pub(crate) fn peers(state: &State) -> impl Iterator<Item = Peer<'_>> {
    seen(state, Kind::ForeignCluster, |facts| match facts {
        Facts::ForeignCluster(facts) => Some(facts),
        _ => None,
    })
}

/// Of several ForeignClusters with one ID the oldest counts; the name decides among those of one second.
fn counting(state: &State) -> BTreeMap<&ClusterId, Peer<'_>> {
    let mut oldest: BTreeMap<&ClusterId, Peer<'_>> = BTreeMap::new();
    for peer in peers(state).filter(|peer| !peer.facts.cluster_id.is_empty()) {
        let first = oldest.entry(&peer.facts.cluster_id).or_insert(peer);
        let age = |peer: &Peer<'_>| (peer.object.created_at, peer.key.name.clone());
        if age(&peer) < age(first) {
            *first = peer;
        }
    }
    oldest
}

fn tenants(state: &State) -> BTreeMap<&ClusterId, (&ObjectKey, &Object)> {
    let mut tenants = BTreeMap::new();
    for (key, object) in state.local(Kind::Namespace).filter(|(_, object)| !object.deleting) {
        if let Facts::Namespace(facts) = &object.facts
            && !facts.tenant_of.is_empty()
        {
            tenants.entry(&facts.tenant_of).or_insert((key, object));
        }
    }
    tenants
}

fn tokens(state: &State) -> BTreeMap<&ClusterId, Seq> {
    let tokens = state.local(Kind::Secret).filter_map(|(_, object)| match &object.facts {
        Facts::PeerToken(token) => Some((&token.peer, object.seen)),
        _ => None,
    });
    tokens.collect()
}

fn by_peer<'a, F>(
    objects: impl Iterator<Item = Seen<'a, F>>,
    peer: impl Fn(Seen<'a, F>) -> &'a ClusterId,
) -> ByPeer<'a, F> {
    let mut sorted: ByPeer<'a, F> = BTreeMap::new();
    for object in objects {
        sorted.entry(peer(object)).or_default().push(object);
    }
    sorted
}

/// Objects of a kind that are sent and received. What came from a peer counts only in the namespace of that peer: its
/// rights end there, and the label alone is a mere claim.
fn exchanged<'a, F>(
    state: &'a State,
    tenants: &BTreeMap<&'a ClusterId, (&'a ObjectKey, &'a Object)>,
    kind: Kind,
    pick: fn(&Facts) -> Option<(&F, &Replication)>,
) -> Exchanged<'a, F> {
    let mut found = Exchanged { sent: BTreeMap::new(), received: BTreeMap::new() };
    for (key, object) in state.local(kind) {
        let Some((facts, replication)) = pick(&object.facts) else { continue };
        let seen = Seen { key, object, facts };
        let origin = &replication.origin_id;
        if replication.origin && !replication.remote_id.is_empty() {
            found.sent.entry(&replication.remote_id).or_default().push(seen);
        } else if replication.replicated
            && tenants.get(origin).is_some_and(|(tenant, _)| tenant.name == key.namespace)
        {
            found.received.entry(origin).or_default().push(seen);
        }
    }
    found
}
