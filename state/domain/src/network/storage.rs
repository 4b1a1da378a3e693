//! The IpamStorage: everything that was chosen, where a new log finds it.

use std::collections::BTreeMap;

use liqo_events::{ClusterSubnets, Content, Effect, Facts, IpamStorageFacts, Seq};
use liqo_model::{ClusterId, Kind, ObjectKey};

use super::home::Home;
use super::parties::Party;
use super::subnets::Subnets;
use super::wishes::{OBJECT, Wishes, slot};
use crate::addressing::POOLS;

/// Its name, unless there is one already.
const NAME: &str = "ipamstorage-liqo";

pub(super) fn plan(home: &Home<'_>, parties: &[Party<'_>], subnets: &Subnets, wishes: &mut Wishes<'_>) {
    let known = wishes.state.local(Kind::IpamStorage).next();
    if known.is_some_and(|(_, object)| object.deleting) {
        return;
    }
    let says = IpamStorageFacts {
        pod_cidr: home.pods.to_string(),
        service_cidr: home.settings.service_cidr.clone(),
        external_cidr: subnets.external.to_string(),
        reserved: home.settings.reserved.clone(),
        pools: POOLS.map(str::to_owned).to_vec(),
        clusters: clusters(parties, subnets),
    };
    let is_said = known.is_some_and(|(_, object)| object.facts == Facts::IpamStorage(says.clone()));
    let content = Content::IpamStorage {
        pod_cidr: says.pod_cidr,
        service_cidr: says.service_cidr,
        external_cidr: says.external_cidr,
        reserved: says.reserved,
        pools: says.pools,
        clusters: says.clusters,
    };
    let (key, seen) = match known {
        Some((key, object)) => (key.clone(), object.seen),
        None => (ObjectKey::local_cluster_scoped(Kind::IpamStorage, NAME), Seq::default()),
    };
    let newest = subnets.peers.values().map(|named| named.seq).max().unwrap_or_default();
    let because = [seen, home.configured, subnets.seq, newest];
    wishes.want(slot(&key, OBJECT), Effect::Put { content }, &because, is_said);
}

fn clusters(parties: &[Party<'_>], subnets: &Subnets) -> BTreeMap<ClusterId, ClusterSubnets> {
    let of_peer = |party: &Party<'_>| {
        let used = subnets.peers.get(party.id)?.used;
        let answer = party.ours.map(|ours| ours.facts).filter(|facts| facts.processed);
        let subnets = ClusterSubnets {
            local_nat_pod_cidr: answer.map(|facts| facts.pod_cidr_nat.clone()).unwrap_or_default(),
            local_nat_external_cidr: answer.map(|facts| facts.external_cidr_nat.clone()).unwrap_or_default(),
            remote_pod_cidr: used.pods.to_string(),
            remote_external_cidr: used.external.to_string(),
        };
        Some((party.id.clone(), subnets))
    };
    parties.iter().filter_map(of_peer).collect()
}
