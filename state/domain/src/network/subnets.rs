//! The networks by which peers are named here: chosen once, and taken back from what was written when the log is gone.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use liqo_events::{ExternalCidrChosen, Facts, IpamStorageFacts, Seq, SubnetsChosen, SubnetsReleased};
use liqo_model::{ClusterId, Kind};

use super::home::Home;
use super::parties::Party;
use super::wishes::Wishes;
use crate::addressing::{AddressSpace, Given, network, remapped};
use crate::state::State;

/// Networks that stand.
pub(super) struct Subnets {
    /// What this cluster offers beside pods.
    pub(super) external: Ipv4Net,
    /// Where that was recorded, if it was already.
    pub(super) seq: Seq,
    /// How each peer is named.
    pub(super) peers: BTreeMap<ClusterId, Named>,
}

/// The networks of a peer, as it names them and as we do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) original: Given,
    pub(super) used: Given,
    /// Where that was recorded, if it was already.
    pub(super) seq: Seq,
}

impl Subnets {
    /// Decides what is not decided yet. Nothing when there is no room for this cluster's own external network.
    pub(super) fn decided(
        state: &State,
        home: &Home<'_>,
        parties: &[Party<'_>],
        wishes: &mut Wishes<'_>,
    ) -> Option<Self> {
        let mut space = home.space(state);
        let storage = storage(state);
        let known = known_external(state, storage, home);
        known.into_iter().for_each(|known| space.take(known));
        let mut peers = BTreeMap::new();
        let mut stand = |party: &Party<'_>, named: Named, space: &mut AddressSpace| {
            space.take(named.used.pods);
            space.take(named.used.external);
            peers.insert(party.id.clone(), named);
        };
        let (kept_ones, open): (Vec<_>, Vec<_>) =
            parties.iter().map(|party| (party, kept(state, party))).partition(|(_, named)| named.is_some());
        for (party, named) in kept_ones {
            named.into_iter().for_each(|named| stand(party, named, &mut space));
        }
        let mut unnamed = Vec::new();
        for (party, _) in open {
            match taken_back(party, storage, &space) {
                Some(named) => stand(party, named, &mut space),
                None => unnamed.push(party),
            }
        }
        let external = known.or_else(|| space.take_external(home.pods.prefix_len()))?;
        for party in unnamed {
            if let Some(named) = chosen(party, &mut space, wishes) {
                stand(party, named, &mut space);
            }
        }
        let seq = state.external_cidr.as_ref().map(|fact| fact.seq).unwrap_or_default();
        let subnets = Self { external, seq, peers };
        subnets.record(state, parties, wishes);
        Some(subnets)
    }

    /// What stands for one peer, when all of it was decided before: no choice is open that would concern others.
    pub(super) fn standing(
        state: &State,
        home: &Home<'_>,
        party: &Party<'_>,
        wishes: &mut Wishes<'_>,
    ) -> Option<Self> {
        let recorded = state.external_cidr.as_ref()?;
        let external = network(&recorded.body.cidr).filter(|external| !home.uses(*external))?;
        let named = kept(state, party);
        let has_say =
            state.subnets.contains_key(party.id) || party.theirs.is_some() || party.tunnel.is_some();
        if named.is_none() && has_say {
            return None;
        }
        let peers = named.map(|named| (party.id.clone(), named)).into_iter().collect();
        let subnets = Self { external, seq: recorded.seq, peers };
        subnets.record(state, std::slice::from_ref(party), wishes);
        Some(subnets)
    }

    fn record(&self, state: &State, parties: &[Party<'_>], wishes: &mut Wishes<'_>) {
        let external = ExternalCidrChosen { cidr: self.external.to_string() };
        if state.external_cidr.as_ref().is_none_or(|known| known.body != external) {
            wishes.record(external);
        }
        for (peer, named) in &self.peers {
            let chosen = SubnetsChosen {
                peer: peer.clone(),
                pod_cidr: named.original.pods.to_string(),
                external_cidr: named.original.external.to_string(),
                used_pod_cidr: named.used.pods.to_string(),
                used_external_cidr: named.used.external.to_string(),
            };
            if state.subnets.get(peer).is_none_or(|known| known.body != chosen) {
                wishes.record(chosen);
            }
        }
        let over = parties.iter().filter(|party| party.is_over() && state.subnets.contains_key(party.id));
        over.for_each(|party| wishes.record(SubnetsReleased { peer: party.id.clone() }));
    }
}

/// The IpamStorage, whatever its name: an installation of 0.8.3 made one up.
fn storage(state: &State) -> Option<&IpamStorageFacts> {
    state.local(Kind::IpamStorage).find_map(|(_, object)| match &object.facts {
        Facts::IpamStorage(facts) => Some(facts),
        _ => None,
    })
}

/// The external network of this cluster as it was chosen before. One that overlaps its pods or services by now cannot stay.
fn known_external(state: &State, storage: Option<&IpamStorageFacts>, home: &Home<'_>) -> Option<Ipv4Net> {
    let recorded = state.external_cidr.as_ref().map(|fact| fact.body.cidr.as_str());
    let texts = recorded.into_iter().chain(storage.map(|storage| storage.external_cidr.as_str()));
    texts.filter_map(network).find(|network| !home.uses(*network))
}

/// What the peer says of itself, as networks.
fn told(party: &Party<'_>) -> Option<Given> {
    let facts = party.theirs?.facts;
    Some(Given { pods: network(&facts.pod_cidr)?, external: network(&facts.external_cidr)? })
}

fn fits(original: Given, used: Given) -> bool {
    original.pods.prefix_len() == used.pods.prefix_len()
        && original.external.prefix_len() == used.external.prefix_len()
}

/// What was recorded. A peer that has other networks of the same length now keeps its name here.
fn kept(state: &State, party: &Party<'_>) -> Option<Named> {
    let fact = state.subnets.get(party.id)?;
    let recorded =
        Given { pods: network(&fact.body.pod_cidr)?, external: network(&fact.body.external_cidr)? };
    let used =
        Given { pods: network(&fact.body.used_pod_cidr)?, external: network(&fact.body.used_external_cidr)? };
    let original = told(party).unwrap_or(recorded);
    (!party.is_over() && fits(original, used)).then_some(Named { original, used, seq: fact.seq })
}

/// What was written while the log was another: what the peer was told, then the mirror, then the tunnel. Some of it a peer
/// could have written itself, so it counts only where it is free.
fn taken_back(party: &Party<'_>, storage: Option<&IpamStorageFacts>, space: &AddressSpace) -> Option<Named> {
    let of_tunnel = party.tunnel.map(|tunnel| &tunnel.facts.spec);
    let original = told(party).or_else(|| {
        let spec = of_tunnel?;
        Some(Given { pods: network(&spec.remote_pod_cidr)?, external: network(&spec.remote_external_cidr)? })
    })?;
    let answer = party.theirs.map(|theirs| theirs.facts).filter(|facts| facts.processed);
    let answered = answer.map(|facts| (&facts.pod_cidr_nat, &facts.external_cidr_nat));
    let mirrored = storage.and_then(|storage| storage.clusters.get(party.id));
    let mirrored = mirrored.map(|subnets| (&subnets.remote_pod_cidr, &subnets.remote_external_cidr));
    let tunnelled = of_tunnel.map(|spec| (&spec.remote_nat_pod_cidr, &spec.remote_nat_external_cidr));
    let candidates = [answered, mirrored, tunnelled].into_iter().flatten();
    let used = candidates.filter_map(|(pods, external)| {
        Some(Given { pods: remapped(original.pods, pods)?, external: remapped(original.external, external)? })
    });
    let is_free = |used: &Given| {
        let mut rest = space.clone();
        rest.take(used.pods);
        space.is_free(used.pods) && rest.is_free(used.external)
    };
    used.into_iter().find(is_free).map(|used| Named { original, used, seq: Seq::default() })
}

/// A choice for a peer that has part in the network and says what it has.
fn chosen(party: &Party<'_>, space: &mut AddressSpace, wishes: &mut Wishes<'_>) -> Option<Named> {
    party.joined()?;
    let theirs = party.theirs.filter(|theirs| !theirs.object.deleting)?;
    let Some(original) = told(party) else {
        let reason = "spec.podCIDR and spec.externalCIDR must be IPv4 networks, for instance 10.200.0.0/16: \
                      correct the settings of the cluster that sent it";
        wishes.reject(theirs.key, theirs.object, reason.to_owned());
        return None;
    };
    let used = space.take_peer(original.pods, original.external);
    if used.is_none() {
        let reason = format!(
            "spec.podCIDR {} or spec.externalCIDR {} overlaps what this cluster uses, and no network of that length is \
             left to name it by: reserve less, or end the peering with another cluster",
            original.pods, original.external
        );
        wishes.reject(theirs.key, theirs.object, reason);
    }
    Some(Named { original, used: used?, seq: Seq::default() })
}
