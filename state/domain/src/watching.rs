//! What is watched, and with which identity: it follows from the state, so peers and namespaces come and go without a
//! restart.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Facts, ForeignClusterFacts, KubeletSettings};
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion};

use crate::about::Whose;
use crate::replication::{REPLICATED, origins};
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
    links_of(state, Whose::Everybody)
}

/// The best identity at each peer, or at one.
pub(crate) fn links_of(state: &State, whose: Whose<'_>) -> BTreeMap<ClusterId, Link> {
    let mut best: BTreeMap<ClusterId, (&ObjectKey, &Object)> = BTreeMap::new();
    let expiry = |object: &Object| match &object.facts {
        Facts::Identity(identity) => identity.expires_at,
        _ => liqo_events::UnixMillis::default(),
    };
    for (key, object) in state.local_about(whose, Kind::Secret) {
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
    let sent = sent(state);
    for (peer, link) in links(state) {
        let Some(kinds) = sent.get(&peer).filter(|_| foreign_cluster(state, &peer).is_some()) else {
            continue;
        };
        for kind in kinds {
            wishes.insert(WatchWish {
                cluster: ClusterRef::Remote(peer.clone()),
                kind: *kind,
                namespace: link.remote_namespace.to_string(),
                labels: labels.clone(),
                fields: String::new(),
                keep_bodies: true,
            });
        }
    }
    wishes
}

/// The kinds of which there is anything to be copied to each peer. As long as there is, its copy has to be seen; before,
/// the peer gives no right to look.
fn sent(state: &State) -> BTreeMap<ClusterId, BTreeSet<Kind>> {
    let mut sent: BTreeMap<ClusterId, BTreeSet<Kind>> = BTreeMap::new();
    for kind in REPLICATED {
        for origin in origins(state, kind) {
            sent.entry(origin.facts.remote_id.clone()).or_default().insert(kind);
        }
    }
    sent
}

/// The ForeignCluster of a peer.
pub(crate) fn foreign_cluster<'a>(state: &'a State, peer: &ClusterId) -> Option<&'a ForeignClusterFacts> {
    state.local_about(Whose::Of(peer), Kind::ForeignCluster).find_map(|(_, object)| match &object.facts {
        Facts::ForeignCluster(facts) if facts.cluster_id == *peer => Some(facts),
        _ => None,
    })
}

/// What a virtual kubelet always watches: its node, its pods, its offer and tunnel.
pub fn kubelet_base_watches(settings: &KubeletSettings) -> Vec<WatchWish> {
    let local = |kind: Kind, namespace: &str, labels: &str, fields: String| WatchWish {
        cluster: ClusterRef::Local,
        kind,
        namespace: namespace.to_owned(),
        labels: labels.to_owned(),
        fields,
        keep_bodies: kind != Kind::Secret,
    };
    let tenant = settings.tenant.as_str();
    vec![
        local(Kind::Node, "", "", format!("metadata.name={}", settings.node)),
        local(Kind::Pod, "", "", format!("spec.nodeName={}", settings.node)),
        local(Kind::ForeignCluster, "", "", String::new()),
        local(Kind::ResourceOffer, tenant, "", String::new()),
        local(Kind::TunnelEndpoint, tenant, "", String::new()),
        local(Kind::NamespaceMap, tenant, "", String::new()),
        local(Kind::Secret, tenant, "discovery.liqo.io/local-identity=true", String::new()),
    ]
}

/// What a virtual kubelet watches beyond that: in each namespace that extends to the provider everything that is copied,
/// on both sides.
pub fn kubelet_watches(state: &State) -> BTreeSet<WatchWish> {
    let Some(settings) = state.kubelet() else { return BTreeSet::new() };
    let local = |namespace: &str, kind: Kind| WatchWish {
        cluster: ClusterRef::Local,
        kind,
        namespace: namespace.to_owned(),
        labels: String::new(),
        fields: String::new(),
        keep_bodies: kind != Kind::Secret,
    };
    let namespaces = &state.derived.mapped.there;
    let here = namespaces.keys().flat_map(|namespace| COPIED_AT_HOME.map(|kind| local(namespace, kind)));
    let mut wishes: BTreeSet<WatchWish> = here.collect();
    if links_of(state, Whose::Of(&settings.remote)).contains_key(&settings.remote) {
        wishes.extend(namespaces.values().flat_map(|remote| remote_watches(state, remote)));
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

/// Namespaces that extend to the provider of a virtual kubelet now. It follows from the objects, so it is no part of what
/// makes two states equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// The remote one of each local one.
    there: BTreeMap<String, NamespaceName>,
    /// The local one of each remote one.
    here: BTreeMap<String, String>,
}

impl Mapped {
    fn of(state: &State) -> Self {
        let mut mapped = Self::default();
        let Some(settings) = state.kubelet() else { return mapped };
        let maps = state.local(Kind::NamespaceMap).filter_map(|(_, object)| match &object.facts {
            Facts::NamespaceMap(facts) if facts.origin && facts.remote_cluster == settings.remote => {
                Some(facts)
            }
            _ => None,
        });
        let accepted = maps.flat_map(|facts| &facts.current).filter(|(_, now)| now.phase == "Accepted");
        mapped.there = accepted.map(|(local, now)| (local.clone(), now.remote.clone())).collect();
        for (local, remote) in &mapped.there {
            mapped.here.entry(remote.to_string()).or_insert_with(|| local.clone());
        }
        mapped
    }
}

impl State {
    /// The namespace of the provider that a local one extends to.
    pub(crate) fn extended_to(&self, local: &str) -> Option<&NamespaceName> {
        self.derived.mapped.there.get(local)
    }

    /// The local namespace that one of the provider extends.
    pub(crate) fn extended_from(&self, remote: &str) -> Option<&str> {
        self.derived.mapped.here.get(remote).map(String::as_str)
    }

    /// Keeps up with a map that was seen or went.
    pub(crate) fn map_anew_after(&mut self, key: &ObjectKey) {
        if key.kind == Kind::NamespaceMap && key.cluster == ClusterRef::Local {
            self.map_anew();
        }
    }

    /// Looks at all maps again: they change seldom, and are asked for each pod.
    pub(crate) fn map_anew(&mut self) {
        if self.kubelet().is_some() {
            self.derived.mapped = Mapped::of(self);
        }
    }
}

/// Namespaces that extend to the provider of a virtual kubelet: the local one and the remote one.
pub fn mapped_namespaces(state: &State) -> BTreeMap<NamespaceName, NamespaceName> {
    let mapped = &state.derived.mapped.there;
    mapped.iter().map(|(local, remote)| (NamespaceName::new(local.as_str()), remote.clone())).collect()
}

/// The tunnel to a peer.
pub fn tunnel_of<'a>(state: &'a State, peer: &ClusterId) -> Option<&'a liqo_events::TunnelSpec> {
    state.local_about(Whose::Of(peer), Kind::TunnelEndpoint).find_map(|(_, object)| match &object.facts {
        Facts::TunnelEndpoint(tunnel) if tunnel.spec.cluster_id == *peer => Some(&tunnel.spec),
        _ => None,
    })
}
