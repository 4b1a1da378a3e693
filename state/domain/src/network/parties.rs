//! Peers, with every object of the network that is about them.

use std::collections::BTreeSet;

use liqo_events::{Facts, ForeignClusterFacts, NetworkConfigFacts, PeeringType, Seq, TunnelEndpointFacts};
use liqo_model::{ClusterId, Kind, ObjectKey, unique_name};

use crate::about::Whose;
use crate::state::{Object, State};

/// An object and what it says.
pub(super) struct Seen<'a, F> {
    pub(super) key: &'a ObjectKey,
    pub(super) object: &'a Object,
    pub(super) facts: &'a F,
}

impl<F> Clone for Seen<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Seen<'_, F> {}

/// A peer.
pub(super) struct Party<'a> {
    pub(super) id: &'a ClusterId,
    /// Its ForeignCluster.
    pub(super) foreign: Option<Seen<'a, ForeignClusterFacts>>,
    /// What we tell it.
    pub(super) ours: Option<Seen<'a, NetworkConfigFacts>>,
    /// What it tells us.
    pub(super) theirs: Option<Seen<'a, NetworkConfigFacts>>,
    /// Our end of the tunnel.
    pub(super) tunnel: Option<Seen<'a, TunnelEndpointFacts>>,
    /// The event that says what [`Self::is_joined`] says.
    pub(super) judged: Seq,
}

/// A peer with which a direction of the peering stands.
pub(super) struct Joined<'a> {
    pub(super) foreign: Seen<'a, ForeignClusterFacts>,
    tenant: &'a str,
    name: String,
}

impl<'a> Party<'a> {
    /// The peer as long as it has part in the network. Until its tenant namespace is known nothing can be told to it.
    pub(super) fn joined(&self) -> Option<Joined<'a>> {
        let foreign = self.foreign.filter(is_established)?;
        let tenant = foreign.facts.tenant_local.as_str();
        let name = unique_name(&foreign.facts.cluster_name, self.id);
        (!tenant.is_empty()).then_some(Joined { foreign, tenant, name })
    }

    /// Its NatMapping, when its name is known.
    pub(super) fn mapping(&self) -> Option<ObjectKey> {
        let foreign = self.foreign?;
        Some(mapping(&unique_name(&foreign.facts.cluster_name, self.id)))
    }

    /// Every object that something may be wanted of for this peer.
    pub(super) fn keys(&self) -> BTreeSet<ObjectKey> {
        let known = [self.ours, self.theirs].into_iter().flatten().map(|config| config.key);
        let known = known.chain(self.tunnel.map(|tunnel| tunnel.key)).cloned();
        let to_be = self.foreign.into_iter().flat_map(|foreign| {
            let name = unique_name(&foreign.facts.cluster_name, self.id);
            let made = [Kind::NetworkConfig, Kind::TunnelEndpoint]
                .map(|kind| ObjectKey::local(kind, foreign.facts.tenant_local.as_str(), name.as_str()));
            made.into_iter().chain([mapping(&name)])
        });
        known.chain(to_be).collect()
    }

    /// Whether neither side has anything of the other.
    pub(super) fn is_over(&self) -> bool {
        !self.foreign.as_ref().is_some_and(is_established)
            && self.ours.is_none()
            && self.theirs.is_none()
            && self.tunnel.is_none()
    }
}

impl Joined<'_> {
    /// The name of everything that is about the peer.
    pub(super) fn key(&self, kind: Kind) -> ObjectKey {
        ObjectKey::local(kind, self.tenant, self.name.as_str())
    }

    pub(super) fn mapping(&self) -> ObjectKey {
        mapping(&self.name)
    }
}

fn mapping(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::NatMapping, format!("natmapping-{name}"))
}

fn is_established(foreign: &Seen<'_, ForeignClusterFacts>) -> bool {
    !foreign.object.deleting && part_in_network(foreign.facts)
}

/// Whether a peer has part in the network, as its ForeignCluster has it.
pub(crate) fn part_in_network(foreign: &ForeignClusterFacts) -> bool {
    let directions = ["OutgoingPeering", "IncomingPeering"];
    let mut conditions = foreign.conditions.iter();
    foreign.peering_type == PeeringType::OutOfBand
        && conditions.any(|one| directions.contains(&one.kind.as_str()) && one.status == "Established")
}

/// Every peer that there is or was, in the order of their IDs.
pub(super) fn parties<'a>(state: &'a State, own: &ClusterId) -> Vec<Party<'a>> {
    let mut ids: BTreeSet<&ClusterId> = BTreeSet::new();
    ids.extend(foreign_clusters(state, Whose::Everybody).map(|foreign| &foreign.facts.cluster_id));
    ids.extend(configs(state, Whose::Everybody).map(|config| about(config.facts)));
    ids.extend(tunnels(state, Whose::Everybody).map(|tunnel| &tunnel.facts.spec.cluster_id));
    ids.extend(state.subnets.iter().map(|(id, _)| id));
    ids.into_iter().filter(|id| !id.is_empty() && *id != own).map(|id| Party::of(state, id)).collect()
}

impl<'a> Party<'a> {
    /// A peer with what is about it.
    pub(super) fn of(state: &'a State, id: &'a ClusterId) -> Self {
        let whose = Whose::Of(id);
        // Of several with one ID the oldest counts, as the verdict on them has it.
        let foreign = foreign_clusters(state, whose)
            .min_by_key(|foreign| (foreign.object.created_at, foreign.key.name.clone()));
        let mine = || configs(state, whose).filter(|config| about(config.facts) == id);
        let of_us = |config: &Seen<'a, NetworkConfigFacts>| {
            config.facts.replication.origin && is_named_for(config.key, foreign, id)
        };
        let of_them = |config: &Seen<'a, NetworkConfigFacts>| {
            config.facts.replication.replicated && is_in_tenant(config.key, foreign)
        };
        let listed = state.local_list(Kind::ForeignCluster).map(|list| list.seq).unwrap_or_default();
        Party {
            id,
            foreign,
            ours: mine().find(of_us),
            theirs: mine().filter(of_them).min_by_key(|config| config.object.deleting),
            tunnel: tunnels(state, whose).next(),
            judged: foreign.map_or(listed, |foreign| foreign.object.seen),
        }
    }
}

fn foreign_clusters<'a>(
    state: &'a State,
    whose: Whose<'_>,
) -> impl Iterator<Item = Seen<'a, ForeignClusterFacts>> + use<'a> {
    seen(state, whose, Kind::ForeignCluster, |facts| match facts {
        Facts::ForeignCluster(facts) => Some(facts),
        _ => None,
    })
}

fn configs<'a>(
    state: &'a State,
    whose: Whose<'_>,
) -> impl Iterator<Item = Seen<'a, NetworkConfigFacts>> + use<'a> {
    seen(state, whose, Kind::NetworkConfig, |facts| match facts {
        Facts::NetworkConfig(facts) => Some(facts),
        _ => None,
    })
}

fn tunnels<'a>(
    state: &'a State,
    whose: Whose<'_>,
) -> impl Iterator<Item = Seen<'a, TunnelEndpointFacts>> + use<'a> {
    seen(state, whose, Kind::TunnelEndpoint, |facts| match facts {
        Facts::TunnelEndpoint(facts) => Some(facts),
        _ => None,
    })
}

fn seen<'a, F: 'a>(
    state: &'a State,
    whose: Whose<'_>,
    kind: Kind,
    read: fn(&Facts) -> Option<&F>,
) -> impl Iterator<Item = Seen<'a, F>> + use<'a, F> {
    let all = state.local_about(whose, kind);
    all.filter_map(move |(key, object)| Some(Seen { key, object, facts: read(&object.facts)? }))
}

/// The peer that a NetworkConfig is for, or from.
fn about(facts: &NetworkConfigFacts) -> &ClusterId {
    if facts.replication.origin { &facts.cluster_id } else { &facts.replication.origin_id }
}

/// A peer may write NetworkConfigs into its own tenant namespace, whatever they say: ours is the one with our name.
fn is_named_for(key: &ObjectKey, foreign: Option<Seen<'_, ForeignClusterFacts>>, id: &ClusterId) -> bool {
    let Some(foreign) = foreign else { return true };
    is_in_tenant(key, Some(foreign)) && key.name == unique_name(&foreign.facts.cluster_name, id)
}

/// And what it says counts only for itself. Without its ForeignCluster nothing is made of it but its end.
fn is_in_tenant(key: &ObjectKey, foreign: Option<Seen<'_, ForeignClusterFacts>>) -> bool {
    foreign.is_none_or(|foreign| key.namespace == foreign.facts.tenant_local.as_str())
}
