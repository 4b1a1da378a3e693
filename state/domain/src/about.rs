//! Which peer an object is about: so that a plan for one peer looks at nothing of the others.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Facts, Replication};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey};

use crate::state::{Derived, Object, State};

/// Local objects by the peer that they are about. It follows from the objects, so it is no part of what makes two states
/// equal.
pub(crate) type Index = BTreeMap<ClusterId, BTreeSet<ObjectKey>>;

/// Whose objects a plan looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// Those about all peers.
    Everybody,
    /// Those about one peer.
    Of(&'a ClusterId),
}

/// The peers that an object is about as far as it says: none, one, or two when it contradicts itself.
pub(crate) fn about(kind: Kind, facts: Option<&Facts>) -> impl Iterator<Item = &ClusterId> {
    let [one, other] = match facts {
        Some(Facts::ForeignCluster(facts)) => [Some(&facts.cluster_id), None],
        Some(Facts::Namespace(facts)) => [Some(&facts.tenant_of), None],
        Some(Facts::Node(facts)) if facts.is_virtual => [Some(&facts.remote_cluster), None],
        Some(Facts::Identity(facts)) => [Some(&facts.peer), None],
        Some(Facts::PeerToken(facts)) => [Some(&facts.peer), None],
        Some(Facts::Issued(facts)) => [Some(&facts.peer), None],
        Some(Facts::ResourceRequest(facts)) => [counterpart(&facts.replication), None],
        Some(Facts::ResourceOffer(facts)) => [counterpart(&facts.replication), None],
        Some(Facts::NamespaceMap(facts)) => [counterpart(&facts.replication), None],
        Some(Facts::NetworkConfig(facts)) => {
            let part = &facts.replication;
            let subject = if part.origin { &facts.cluster_id } else { &part.origin_id };
            [counterpart(part).filter(|peer| *peer != subject), Some(subject)]
        }
        Some(Facts::TunnelEndpoint(facts)) => [Some(&facts.spec.cluster_id), None],
        Some(Facts::Reflected(facts)) if kind == Kind::ShadowEndpointSlice => [Some(&facts.origin), None],
        _ => [None, None],
    };
    one.into_iter().chain(other).filter(|id| !id.is_empty())
}

/// Where an object goes, or came from.
fn counterpart(part: &Replication) -> Option<&ClusterId> {
    if part.origin && !part.remote_id.is_empty() {
        return Some(&part.remote_id);
    }
    part.replicated.then_some(&part.origin_id)
}

impl Derived {
    /// Keeps the index when an object is replaced by another, or by nothing.
    pub(crate) fn relate(&mut self, key: &ObjectKey, before: Option<&Facts>, after: Option<&Facts>) {
        if key.cluster != ClusterRef::Local || about(key.kind, before).eq(about(key.kind, after)) {
            return;
        }
        for peer in about(key.kind, before) {
            if let Some(keys) = self.about.get_mut(peer) {
                keys.remove(key);
                if keys.is_empty() {
                    self.about.remove(peer);
                }
            }
        }
        for peer in about(key.kind, after) {
            self.about.entry(peer.clone()).or_default().insert(key.clone());
        }
    }
}

impl State {
    /// Local objects of a kind, in the order of their names: all, or those about one peer.
    pub(crate) fn local_about<'a>(
        &'a self,
        whose: Whose<'_>,
        kind: Kind,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Object)> + use<'a> {
        let (all, keys) = match whose {
            Whose::Everybody => (Some(self.local(kind)), None),
            Whose::Of(peer) => (None, self.derived.about.get(peer)),
        };
        let of_peer = keys.into_iter().flat_map(move |keys| {
            keys.range(ObjectKey::local(kind, "", "")..).take_while(move |key| key.kind == kind)
        });
        let of_peer = of_peer.filter_map(|key| Some((key, self.objects.get(key)?)));
        all.into_iter().flatten().chain(of_peer)
    }

    /// Local objects of a kind in one namespace.
    pub(crate) fn local_in<'a>(
        &'a self,
        namespace: &'a str,
        kind: Kind,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Object)> {
        let within = move |key: &ObjectKey| {
            key.cluster == ClusterRef::Local && key.kind == kind && key.namespace == namespace
        };
        self.objects.range(ObjectKey::local(kind, namespace, "")..).take_while(move |(key, _)| within(key))
    }

    /// The peer that a namespace belongs to; the outer nothing stands for a namespace that is not known.
    pub(crate) fn tenant_in(&self, namespace: &str) -> Option<Option<&ClusterId>> {
        let namespace = self.objects.get(&ObjectKey::local_cluster_scoped(Kind::Namespace, namespace))?;
        Some(about(Kind::Namespace, Some(&namespace.facts)).next())
    }
}

#[cfg(test)]
mod tests {
    use liqo_events::{ForeignClusterFacts, NetworkConfigFacts};

    use super::*;

    fn peers_of(kind: Kind, facts: &Facts) -> Vec<&str> {
        about(kind, Some(facts)).map(ClusterId::as_str).collect()
    }

    fn config(origin: bool, cluster_id: &str) -> Facts {
        let replication = Replication {
            origin,
            replicated: !origin,
            remote_id: "milan-id".into(),
            origin_id: "turin-id".into(),
            ..Replication::default()
        };
        let cluster_id = cluster_id.into();
        Facts::NetworkConfig(NetworkConfigFacts { replication, cluster_id, ..NetworkConfigFacts::default() })
    }

    #[test]
    fn an_object_is_about_whom_it_goes_to_or_came_from() {
        assert_eq!(peers_of(Kind::NetworkConfig, &config(true, "milan-id")), ["milan-id"]);
        assert_eq!(peers_of(Kind::NetworkConfig, &config(false, "rome-id")), ["turin-id"]);
        // Sent to one and about another: both want to know.
        assert_eq!(peers_of(Kind::NetworkConfig, &config(true, "turin-id")), ["milan-id", "turin-id"]);
        assert_eq!(peers_of(Kind::Pod, &Facts::Presence), Vec::<&str>::new());
    }

    #[test]
    fn the_index_follows_the_objects() {
        let peer = |id: &str| {
            let facts = ForeignClusterFacts { cluster_id: id.into(), ..ForeignClusterFacts::default() };
            Facts::ForeignCluster(facts)
        };
        let key = ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan");
        let mut derived = Derived::default();
        let (milan, turin) = (peer("milan-id"), peer("turin-id"));
        derived.relate(&key, None, Some(&milan));
        assert_eq!(derived.about.keys().map(ClusterId::as_str).collect::<Vec<_>>(), ["milan-id"]);
        derived.relate(&key, Some(&milan), Some(&turin));
        assert_eq!(derived.about.keys().map(ClusterId::as_str).collect::<Vec<_>>(), ["turin-id"]);
        derived.relate(&key, Some(&turin), Some(&peer("")));
        assert!(derived.about.is_empty());
    }
}
