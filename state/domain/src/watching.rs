//! What is watched, and with which identity: it follows from the state, so peers and namespaces come and go without a
//! restart.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Facts, ForeignClusterFacts, Switch};
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion};

use crate::state::{Object, State};

/// A watch that should run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchWish {
    /// Whose API server.
    pub cluster: ClusterRef,
    /// Which kind.
    pub kind: Kind,
    /// In which namespace; everywhere when empty.
    pub namespace: String,
    /// Label selector; empty for all.
    pub labels: String,
    /// Field selector; empty for all.
    pub fields: String,
    /// Whether bodies are kept for writes. Never of Secrets.
    pub keep_bodies: bool,
}

/// The identity at a peer's API server that is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The Secret with it.
    pub secret: ObjectKey,
    /// Its version: another one may hold other credentials.
    pub version: ResourceVersion,
    /// Our tenant namespace there.
    pub remote_namespace: NamespaceName,
}

/// The label that the copies of this cluster's objects carry in a peer.
fn copies_of(home: &ClusterId) -> String {
    format!("liqo.io/originID={home},liqo.io/replicated=true")
}

/// The best identity at each peer: the one that lasts longest.
pub fn links(state: &State) -> BTreeMap<ClusterId, Link> {
    let mut best: BTreeMap<ClusterId, (&ObjectKey, &Object)> = BTreeMap::new();
    let expiry = |object: &Object| match &object.facts {
        Facts::Identity(identity) => identity.expires_at,
        _ => liqo_events::UnixMillis::default(),
    };
    for (key, object) in state.local(Kind::Secret) {
        let Facts::Identity(identity) = &object.facts else { continue };
        if object.deleting || identity.remote_namespace.is_empty() {
            continue;
        }
        let better = best.get(&identity.peer).is_none_or(|(_, known)| expiry(known) < expiry(object));
        if better {
            best.insert(identity.peer.clone(), (key, object));
        }
    }
    let link = |(key, object): (&ObjectKey, &Object)| match &object.facts {
        Facts::Identity(identity) => Some(Link {
            secret: key.clone(),
            version: object.resource_version.clone(),
            remote_namespace: identity.remote_namespace.clone(),
        }),
        _ => None,
    };
    best.into_iter().filter_map(|(peer, found)| Some((peer, link(found)?))).collect()
}

/// What a controller manager watches beyond what it always watches: the copies of its objects in each peer.
pub fn control_plane_watches(state: &State) -> BTreeSet<WatchWish> {
    let Some(identity) = &state.identity else { return BTreeSet::new() };
    let labels = copies_of(&identity.body.id);
    let mut wishes = BTreeSet::new();
    for (peer, link) in links(state) {
        let Some(facts) = foreign_cluster(state, &peer) else { continue };
        let kinds = [
            (Kind::ResourceRequest, true),
            (Kind::NetworkConfig, is_enabled(facts, "OutgoingPeering") || is_enabled(facts, "IncomingPeering")),
            (Kind::NamespaceMap, is_enabled(facts, "OutgoingPeering")),
            (Kind::ResourceOffer, is_enabled(facts, "IncomingPeering")),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, wanted)| *wanted) {
            wishes.insert(WatchWish {
                cluster: ClusterRef::Remote(peer.clone()),
                kind,
                namespace: link.remote_namespace.to_string(),
                labels: labels.clone(),
                fields: String::new(),
                keep_bodies: true,
            });
        }
    }
    wishes
}

/// Whether a direction of a peering is neither off nor unknown.
pub(crate) fn is_enabled(facts: &ForeignClusterFacts, direction: &str) -> bool {
    let condition = facts.conditions.iter().find(|condition| condition.kind == direction);
    condition.is_some_and(|condition| !condition.status.is_empty() && condition.status != "None")
        || (direction == "OutgoingPeering" && facts.outgoing == Switch::Yes)
}

/// The ForeignCluster of a peer.
pub(crate) fn foreign_cluster<'a>(state: &'a State, peer: &ClusterId) -> Option<&'a ForeignClusterFacts> {
    state.local(Kind::ForeignCluster).find_map(|(_, object)| match &object.facts {
        Facts::ForeignCluster(facts) if facts.cluster_id == *peer => Some(facts),
        _ => None,
    })
}

/// What a virtual kubelet watches: its node, its pods, its offer and tunnel, and in each namespace that extends to the
/// provider everything that is copied, on both sides.
pub fn kubelet_watches(state: &State) -> BTreeSet<WatchWish> {
    let Some(settings) = state.kubelet() else { return BTreeSet::new() };
    let mut wishes = BTreeSet::new();
    let tenant = settings.tenant.as_str();
    let mut local = |kind: Kind, namespace: &str, labels: &str, fields: String| {
        let (namespace, labels) = (namespace.to_owned(), labels.to_owned());
        let keep_bodies = kind != Kind::Secret;
        let cluster = ClusterRef::Local;
        wishes.insert(WatchWish { cluster, kind, namespace, labels, fields, keep_bodies });
    };
    local(Kind::Node, "", "", format!("metadata.name={}", settings.node));
    local(Kind::Pod, "", "", format!("spec.nodeName={}", settings.node));
    local(Kind::ForeignCluster, "", "", String::new());
    for kind in [Kind::ResourceOffer, Kind::TunnelEndpoint, Kind::NamespaceMap] {
        local(kind, tenant, "", String::new());
    }
    local(Kind::Secret, tenant, "discovery.liqo.io/local-identity=true", String::new());
    for namespace in mapped(state).keys() {
        for kind in COPIED_AT_HOME {
            local(kind, namespace.as_str(), "", String::new());
        }
    }
    if links(state).contains_key(&settings.remote) {
        wishes.extend(mapped(state).values().flat_map(|remote| remote_watches(state, remote)));
    }
    wishes
}

/// Kinds beside pods that are copied from home to the provider.
pub(crate) const COPIED_AT_HOME: [Kind; 4] =
    [Kind::Service, Kind::EndpointSlice, Kind::ConfigMap, Kind::Secret];
/// What they are in the provider, and the pods.
const COPIES: [Kind; 6] =
    [Kind::ShadowPod, Kind::Pod, Kind::Service, Kind::ShadowEndpointSlice, Kind::ConfigMap, Kind::Secret];

fn remote_watches(state: &State, namespace: &NamespaceName) -> Vec<WatchWish> {
    let Some(settings) = state.kubelet() else { return Vec::new() };
    let labels = format!(
        "virtualkubelet.liqo.io/origin={},virtualkubelet.liqo.io/destination={}",
        settings.home, settings.remote
    );
    let wish = |kind: Kind| WatchWish {
        cluster: ClusterRef::Remote(settings.remote.clone()),
        kind,
        namespace: namespace.to_string(),
        labels: labels.clone(),
        fields: String::new(),
        keep_bodies: kind != Kind::Secret,
    };
    COPIES.into_iter().map(wish).collect()
}

/// Namespaces that extend to the provider now: the local one and the remote one.
pub(crate) fn mapped(state: &State) -> BTreeMap<NamespaceName, NamespaceName> {
    let Some(settings) = state.kubelet() else { return BTreeMap::new() };
    let maps = state.local(Kind::NamespaceMap).filter_map(|(_, object)| match &object.facts {
        Facts::NamespaceMap(facts) if facts.origin && facts.remote_cluster == settings.remote => Some(facts),
        _ => None,
    });
    maps.flat_map(|facts| &facts.current)
        .filter(|(_, now)| now.phase == "Accepted")
        .map(|(local, now)| (NamespaceName::new(local.as_str()), now.remote.clone()))
        .collect()
}
