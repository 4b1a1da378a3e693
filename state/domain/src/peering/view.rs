//! Everything that peerings are made of, sorted by peer: gathered once a plan.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{
    Facts, ForeignClusterFacts, IdentityChosen, NamespaceMapFacts, NetworkConfigFacts, NodeFacts,
    Replication, ResourceOfferFacts, ResourceRequestFacts, Seq, TunnelEndpointFacts,
};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey};

use crate::about::Whose;
use crate::state::{Object, State};
use crate::watching::{Link, links_of};

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
    pub(super) tenants: Tenants<'a>,
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
        Self::about(state, Whose::Everybody)
    }

    /// The same of what is about one peer, which is all that a plan for it needs.
    pub(super) fn about(state: &'a State, whose: Whose<'_>) -> Option<Self> {
        let home = &state.identity.as_ref()?.body;
        let tenants = tenants(state, whose);
        let source = Source { state, whose, tenants: &tenants };
        let requests = source.exchanged(Kind::ResourceRequest, |facts| match facts {
            Facts::ResourceRequest(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let offers = source.exchanged(Kind::ResourceOffer, |facts| match facts {
            Facts::ResourceOffer(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let maps = source.exchanged(Kind::NamespaceMap, |facts| match facts {
            Facts::NamespaceMap(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let networks = source.exchanged(Kind::NetworkConfig, |facts| match facts {
            Facts::NetworkConfig(facts) => Some((facts, &facts.replication)),
            _ => None,
        });
        let tunnels = seen_about(state, whose, Kind::TunnelEndpoint, |facts| match facts {
            Facts::TunnelEndpoint(facts) => Some(facts),
            _ => None,
        });
        let nodes = seen_about(state, whose, Kind::Node, |facts| match facts {
            Facts::Node(facts) if facts.is_virtual => Some(facts),
            _ => None,
        });
        Some(Self {
            state,
            home,
            links: links_of(state, whose),
            tokens: tokens(state, whose),
            peers: counting(state, whose, &requests),
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
    seen_about(state, Whose::Everybody, kind, pick)
}

/// The same of what is about one peer.
pub(super) fn seen_about<'a, F: 'a>(
    state: &'a State,
    whose: Whose<'_>,
    kind: Kind,
    pick: fn(&Facts) -> Option<&F>,
) -> impl Iterator<Item = Seen<'a, F>> + use<'a, F> {
    state
        .local_about(whose, kind)
        .filter_map(move |(key, object)| pick(&object.facts).map(|facts| Seen { key, object, facts }))
}

/// Every ForeignCluster.
pub(crate) fn peers(state: &State) -> impl Iterator<Item = Peer<'_>> {
    peers_about(state, Whose::Everybody)
}

/// Every ForeignCluster with the ID of one peer.
pub(super) fn peers_about<'a>(
    state: &'a State,
    whose: Whose<'_>,
) -> impl Iterator<Item = Peer<'a>> + use<'a> {
    seen_about(state, whose, Kind::ForeignCluster, |facts| match facts {
        Facts::ForeignCluster(facts) => Some(facts),
        _ => None,
    })
}

/// Of several ForeignClusters with one ID the oldest counts; the name decides among those of one second. Those that a
/// request names are among them, whoever sent it.
fn counting<'a>(
    state: &'a State,
    whose: Whose<'_>,
    requests: &Exchanged<'a, ResourceRequestFacts>,
) -> BTreeMap<&'a ClusterId, Peer<'a>> {
    let mut oldest: BTreeMap<&ClusterId, Peer<'_>> = BTreeMap::new();
    let claimed = match whose {
        Whose::Everybody => BTreeSet::new(),
        Whose::Of(_) => requests.all_received().map(|request| &request.facts.cluster_id).collect(),
    };
    let claimed = claimed.into_iter().flat_map(|peer| peers_about(state, Whose::Of(peer)));
    let known = peers_about(state, whose).chain(claimed);
    for peer in known.filter(|peer| !peer.facts.cluster_id.is_empty()) {
        let first = oldest.entry(&peer.facts.cluster_id).or_insert(peer);
        let age = |peer: &Peer<'_>| (peer.object.created_at, peer.key.name.clone());
        if age(&peer) < age(first) {
            *first = peer;
        }
    }
    oldest
}

fn tenants<'a>(state: &'a State, whose: Whose<'_>) -> Tenants<'a> {
    let mut tenants = BTreeMap::new();
    for (key, object) in state.local_about(whose, Kind::Namespace).filter(|(_, object)| !object.deleting) {
        if let Facts::Namespace(facts) = &object.facts
            && !facts.tenant_of.is_empty()
        {
            tenants.entry(&facts.tenant_of).or_insert((key, object));
        }
    }
    tenants
}

fn tokens<'a>(state: &'a State, whose: Whose<'_>) -> BTreeMap<&'a ClusterId, Seq> {
    let tokens = state.local_about(whose, Kind::Secret).filter_map(|(_, object)| match &object.facts {
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

/// Tenant namespaces by their peer.
type Tenants<'a> = BTreeMap<&'a ClusterId, (&'a ObjectKey, &'a Object)>;

/// Where objects are taken from.
struct Source<'a, 'b> {
    state: &'a State,
    whose: Whose<'b>,
    tenants: &'b Tenants<'a>,
}

impl<'a> Source<'a, '_> {
    /// Objects of a kind that are sent and received. What came from a peer counts only in the namespace of that peer: its
    /// rights end there, and the label alone is a mere claim.
    fn exchanged<F>(&self, kind: Kind, pick: fn(&Facts) -> Option<(&F, &Replication)>) -> Exchanged<'a, F> {
        let mut found = Exchanged { sent: BTreeMap::new(), received: BTreeMap::new() };
        for (key, object) in self.state.local_about(self.whose, kind) {
            let Some((facts, replication)) = pick(&object.facts) else { continue };
            let seen = Seen { key, object, facts };
            let origin = &replication.origin_id;
            if replication.origin && !replication.remote_id.is_empty() {
                found.sent.entry(&replication.remote_id).or_default().push(seen);
            } else if replication.replicated
                && self.tenants.get(origin).is_some_and(|(tenant, _)| tenant.name == key.namespace)
            {
                found.received.entry(origin).or_default().push(seen);
            }
        }
        found
    }
}
