//! TunnelEndpoints and NatMappings: what both clusters have agreed on, and how the tunnel is.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §A.1.8, §A.2.4 and §A.2.5.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{
    Content, Effect, NetworkConfigFacts, OwnedBy, Seq, Status, TunnelEndpointFacts, TunnelSpec,
};
use liqo_model::{Kind, ObjectKey};

use super::gateway::active_gateway;
use super::parties::{Joined, Party, Seen};
use super::subnets::{Named, Subnets};
use super::wishes::{OBJECT, Wishes, slot};
use crate::addressing::{network, remapped, tunnel_address};
use crate::surroundings::COPY;

/// Address of every gateway at its end of a tunnel.
const TUNNEL_END: &str = "169.254.0.1";
/// Characters of a key: 32 bytes in base64.
const KEY_CHARACTERS: usize = 44;

pub(super) fn plan(party: &Party<'_>, subnets: &Subnets, wishes: &mut Wishes<'_>) {
    let Some(joined) = party.joined() else {
        if let Some(tunnel) = party.tunnel {
            wishes.want_gone(tunnel.key, tunnel.object, party.judged);
        }
        return;
    };
    if let Some(agreed) = agreed(party, subnets, wishes) {
        build(party, &joined, agreed, wishes);
    }
    if let Some(tunnel) = party.tunnel.filter(|tunnel| !tunnel.object.deleting) {
        status(party, tunnel, wishes);
    }
}

/// NatMappings of peers that have no part in the network any more, or that 0.8.3 made, go.
pub(super) fn sweep(parties: &[Party<'_>], wishes: &mut Wishes<'_>) {
    let kept: BTreeSet<ObjectKey> =
        parties.iter().filter_map(|party| party.joined().map(|joined| joined.mapping())).collect();
    let listed = wishes.state.local_list(Kind::ForeignCluster).map(|list| list.seq).unwrap_or_default();
    let judged: BTreeMap<ObjectKey, Seq> =
        parties.iter().filter_map(|party| Some((party.mapping()?, party.judged))).collect();
    let gone = wishes.state.local(Kind::NatMapping).filter(|(key, _)| !kept.contains(key));
    for (key, object) in gone {
        wishes.want_gone(key, object, judged.get(key).copied().unwrap_or(listed));
    }
}

/// The same of one peer.
pub(super) fn sweep_one(party: &Party<'_>, wishes: &mut Wishes<'_>) {
    let Some(mapping) = party.mapping().filter(|_| party.joined().is_none()) else { return };
    if let Some(object) = wishes.state.objects.get(&mapping) {
        wishes.want_gone(&mapping, object, party.judged);
    }
}

/// Both NetworkConfigs, once each was answered and both make sense.
struct Agreed<'a> {
    ours: Seen<'a, NetworkConfigFacts>,
    theirs: Seen<'a, NetworkConfigFacts>,
    named: Named,
    /// The external network by which the peer names ours.
    external: ipnet::Ipv4Net,
}

fn agreed<'a>(party: &Party<'a>, subnets: &Subnets, wishes: &mut Wishes<'_>) -> Option<Agreed<'a>> {
    let ours = party.ours.filter(|ours| ours.facts.processed && !ours.object.deleting)?;
    let theirs = party.theirs.filter(|theirs| !theirs.object.deleting)?;
    let named = *subnets.peers.get(party.id)?;
    if let Err(reason) = reachable(theirs.facts) {
        wishes.reject(theirs.key, theirs.object, reason);
        return None;
    }
    let answered = |own: &str, answer: &str| network(own).and_then(|own| remapped(own, answer));
    let pods = answered(&ours.facts.pod_cidr, &ours.facts.pod_cidr_nat);
    let external = answered(&ours.facts.external_cidr, &ours.facts.external_cidr_nat);
    let (Some(_), Some(external)) = (pods, external) else {
        let reason = "the peer answered with status.podCIDRNAT or status.externalCIDRNAT that is neither None nor an \
                      IPv4 network of the same length: look at the log of its control plane";
        wishes.reject(ours.key, ours.object, reason.to_owned());
        return None;
    };
    Some(Agreed { ours, theirs, named, external })
}

/// Whether a gateway can be made to talk to what the peer told.
fn reachable(theirs: &NetworkConfigFacts) -> Result<(), String> {
    let is_key = theirs.public_key.len() == KEY_CHARACTERS
        && theirs.public_key.ends_with('=')
        && theirs.public_key.chars().all(|one| one.is_ascii_alphanumeric() || "+/=".contains(one));
    let wrong = if !is_key {
        "spec.backend_config.publicKey is no WireGuard key"
    } else if theirs.endpoint.is_empty() {
        "spec.endpointIP is empty"
    } else if theirs.port.parse::<u16>().is_ok_and(|port| port != 0) {
        return Ok(());
    } else {
        "spec.backend_config.port is no port"
    };
    Err(format!("{wrong}: look at the gateway of the cluster that sent it"))
}

fn build(party: &Party<'_>, joined: &Joined<'_>, agreed: Agreed<'_>, wishes: &mut Wishes<'_>) {
    let foreign = joined.foreign;
    let spec = spec(party, joined, &agreed);
    let because = [
        agreed.ours.object.seen,
        agreed.theirs.object.seen,
        foreign.object.seen,
        party.tunnel.map(|tunnel| tunnel.object.seen).unwrap_or_default(),
    ];
    if party.tunnel.is_none_or(|tunnel| !tunnel.object.deleting) {
        let is_so = party.tunnel.is_some_and(|tunnel| tunnel.facts.spec == spec);
        let owner = OwnedBy { name: foreign.key.name.clone(), uid: foreign.object.uid.clone() };
        let effect = Effect::Put { content: Content::TunnelEndpoint { spec, owner } };
        wishes.want(slot(&joined.key(Kind::TunnelEndpoint), OBJECT), effect, &because, is_so);
    }
    let content = Content::NatMapping {
        remote: party.id.clone(),
        pod_cidr: agreed.named.used.pods.to_string(),
        external_cidr: agreed.external.to_string(),
        mappings: BTreeMap::from([(TUNNEL_END.to_owned(), tunnel_address(agreed.external).to_string())]),
    };
    let (key, effect) = (joined.mapping(), Effect::Put { content });
    let known = wishes.state.objects.get(&key);
    if known.is_none_or(|known| !known.deleting) {
        let slot = slot(&key, COPY);
        let is_so = known.is_some() && wishes.is_remembered(&slot, &effect);
        let seen = known.map(|known| known.seen).unwrap_or_default();
        wishes.want(slot, effect, &[because[0], because[1], seen], is_so);
    }
}

fn spec(party: &Party<'_>, joined: &Joined<'_>, agreed: &Agreed<'_>) -> TunnelSpec {
    let (ours, theirs) = (agreed.ours.facts, agreed.theirs.facts);
    let (remote_nat_pod_cidr, remote_nat_external_cidr) = agreed.named.remappings();
    TunnelSpec {
        cluster_id: party.id.clone(),
        cluster_name: joined.foreign.facts.cluster_name.clone(),
        local_pod_cidr: ours.pod_cidr.clone(),
        local_external_cidr: ours.external_cidr.clone(),
        local_nat_pod_cidr: ours.pod_cidr_nat.clone(),
        local_nat_external_cidr: ours.external_cidr_nat.clone(),
        remote_pod_cidr: agreed.named.original.pods.to_string(),
        remote_external_cidr: agreed.named.original.external.to_string(),
        remote_nat_pod_cidr,
        remote_nat_external_cidr,
        endpoint: theirs.endpoint.clone(),
        public_key: theirs.public_key.clone(),
        port: theirs.port.clone(),
    }
}

/// The status says what the active gateway reported last; what another one did is of the past. Before it has reported
/// anything to this log, what it reported to an earlier one stands: the tunnel does not end with a control plane.
fn status(party: &Party<'_>, tunnel: Seen<'_, TunnelEndpointFacts>, wishes: &mut Wishes<'_>) {
    if wishes.state.local_list(Kind::Pod).is_none() {
        return;
    }
    let gateway = active_gateway(wishes.state).map(|gateway| gateway.address.to_string());
    let known = wishes.state.tunnels.get(party.id);
    let report = known.filter(|report| gateway.as_ref() == Some(&report.body.gateway));
    let connected = report.filter(|report| report.body.connected);
    let (connection, message) = match report.map(|report| &report.body) {
        Some(body) if body.connected => ("Connected", "VPN connection established"),
        Some(body) if !body.trouble.is_empty() => ("Error", body.trouble.as_str()),
        Some(_) | None => ("Connecting", "VPN connection is being established"),
    };
    let latency = latency(connected.map_or(0, |report| report.body.round_trip_micros));
    let gateway = gateway.unwrap_or_default();
    let facts = tunnel.facts;
    if known.is_none() && facts.gateway == gateway && !facts.connection.is_empty() {
        return;
    }
    let is_shown =
        (facts.connection.as_str(), &facts.latency, &facts.gateway) == (connection, &latency, &gateway);
    let status = Status::TunnelEndpoint {
        gateway,
        connection: connection.to_owned(),
        message: message.to_owned(),
        latency,
        measured_at: connected.map(|report| report.at),
        peer: peer_configuration(&facts.spec),
    };
    let effect = Effect::PutStatus { uid: tunnel.object.uid.clone(), status };
    let slot = slot(tunnel.key, COPY);
    let is_so = is_shown && wishes.is_remembered(&slot, &effect);
    let reported = report.map(|report| report.seq).unwrap_or_default();
    wishes.want(slot, effect, &[tunnel.object.seen, reported], is_so);
}

/// What the gateway tells WireGuard of the peer.
fn peer_configuration(spec: &TunnelSpec) -> BTreeMap<String, String> {
    let named = |original: &str, nat: &str| {
        network(original).and_then(|original| remapped(original, nat)).map(|net| net.to_string())
    };
    let allowed = [
        named(&spec.remote_pod_cidr, &spec.remote_nat_pod_cidr),
        named(&spec.remote_external_cidr, &spec.remote_nat_external_cidr),
    ];
    let allowed = allowed.into_iter().flatten().collect::<Vec<_>>().join(", ");
    BTreeMap::from([
        ("allowedIPs".to_owned(), allowed),
        ("endpointIP".to_owned(), spec.endpoint.clone()),
        ("port".to_owned(), spec.port.clone()),
        ("publicKey".to_owned(), spec.public_key.clone()),
    ])
}

/// A round trip as 0.8.3 writes it.
fn latency(micros: u32) -> String {
    match micros {
        0 => "N/A".to_owned(),
        1000.. => format!("{}ms", micros / 1000),
        _ => format!("{micros}μs"),
    }
}
