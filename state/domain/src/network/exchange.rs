//! NetworkConfigs: what we tell a peer of our network, and what we answer to what it tells.

use liqo_events::{Content, Effect, NetworkConfigFacts, OwnedBy, Status};
use liqo_model::Kind;

use super::endpoint::endpoint;
use super::home::Home;
use super::parties::{Joined, Party, Seen};
use super::subnets::{Named, Subnets};
use super::wishes::{ANSWER, FINALIZER, OBJECT, Wishes, slot};
use crate::addressing::remapping;

/// Keeps a NetworkConfig until what was made of it is gone.
const NETWORK_FINALIZER: &str = "tunnelendpointcreator.net.liqo.io";

pub(super) fn plan(home: &Home<'_>, party: &Party<'_>, subnets: &Subnets, wishes: &mut Wishes<'_>) {
    match party.joined() {
        Some(joined) => {
            tell(home, party, &joined, subnets, wishes);
            answer(party, subnets, wishes);
        }
        None => fall_silent(party, wishes),
    }
}

/// Our NetworkConfig says what is so. One that somebody deleted goes first and comes again.
fn tell(home: &Home<'_>, party: &Party<'_>, joined: &Joined<'_>, subnets: &Subnets, wishes: &mut Wishes<'_>) {
    if let Some(ours) = party.ours {
        finalizer(ours, !ours.object.deleting, wishes);
        if ours.object.deleting {
            return;
        }
    }
    let told = party.ours.map(|ours| ours.facts.endpoint.as_str());
    let Some(endpoint) = endpoint(wishes.state, told) else { return };
    if home.settings.public_key.is_empty() {
        return;
    }
    let foreign = joined.foreign;
    let says = NetworkConfigFacts {
        cluster_id: party.id.clone(),
        pod_cidr: home.pods.to_string(),
        external_cidr: subnets.external.to_string(),
        endpoint: endpoint.host,
        public_key: home.settings.public_key.clone(),
        port: endpoint.port.to_string(),
        ..NetworkConfigFacts::default()
    };
    let is_said = party.ours.is_some_and(|ours| {
        let replication = &ours.facts.replication;
        let is_addressed = replication.origin && replication.remote_id == *party.id;
        is_addressed
            && replication.owners.contains(&foreign.key.name)
            && spec_of(ours.facts) == spec_of(&says)
    });
    let content = Content::NetworkConfig {
        remote: party.id.clone(),
        remote_name: foreign.facts.cluster_name.clone(),
        pod_cidr: says.pod_cidr,
        external_cidr: says.external_cidr,
        endpoint: says.endpoint,
        public_key: says.public_key,
        port: endpoint.port,
        owner: OwnedBy { name: foreign.key.name.clone(), uid: foreign.object.uid.clone() },
    };
    let known = party.ours.map(|ours| ours.object.seen).unwrap_or_default();
    let because = [foreign.object.seen, endpoint.seen, home.configured, subnets.seq, known];
    wishes.want(slot(&joined.key(Kind::NetworkConfig), OBJECT), Effect::Put { content }, &because, is_said);
}

fn spec_of(facts: &NetworkConfigFacts) -> [&str; 6] {
    [
        facts.cluster_id.as_str(),
        &facts.pod_cidr,
        &facts.external_cidr,
        &facts.endpoint,
        &facts.public_key,
        &facts.port,
    ]
}

/// The status of the peer's NetworkConfig says by which networks we name the peer's.
fn answer(party: &Party<'_>, subnets: &Subnets, wishes: &mut Wishes<'_>) {
    let Some(theirs) = party.theirs else { return };
    finalizer(theirs, !theirs.object.deleting, wishes);
    let Some(named) = subnets.peers.get(party.id).filter(|_| !theirs.object.deleting) else { return };
    let (pod_cidr_nat, external_cidr_nat) = named.remappings();
    let facts = theirs.facts;
    let is_said = facts.processed
        && (&facts.pod_cidr_nat, &facts.external_cidr_nat) == (&pod_cidr_nat, &external_cidr_nat);
    let status = Status::NetworkConfig { pod_cidr_nat, external_cidr_nat };
    let effect = Effect::PutStatus { uid: theirs.object.uid.clone(), status };
    wishes.want(slot(theirs.key, ANSWER), effect, &[theirs.object.seen, named.seq], is_said);
}

impl Named {
    /// How the peer is told of both networks.
    pub(super) fn remappings(&self) -> (String, String) {
        (remapping(self.original.pods, self.used.pods), remapping(self.original.external, self.used.external))
    }
}

/// Ours goes, and is let go when the tunnel is gone; theirs is let go at once, since the peer waits for that.
fn fall_silent(party: &Party<'_>, wishes: &mut Wishes<'_>) {
    if let Some(theirs) = party.theirs {
        finalizer(theirs, false, wishes);
    }
    if let Some(ours) = party.ours {
        wishes.want_gone(ours.key, ours.object, party.judged);
        if party.tunnel.is_none() {
            finalizer(ours, false, wishes);
        }
    }
}

fn finalizer(config: Seen<'_, NetworkConfigFacts>, present: bool, wishes: &mut Wishes<'_>) {
    let effect = Effect::SetFinalizer {
        uid: config.object.uid.clone(),
        finalizer: NETWORK_FINALIZER.to_owned(),
        present,
    };
    let is_so = config.facts.finalizer == present;
    wishes.want(slot(config.key, FINALIZER), effect, &[config.object.seen], is_so);
}
