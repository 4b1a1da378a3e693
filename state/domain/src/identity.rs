//! The identity of the local cluster: chosen once, mirrored in a ConfigMap that everything else reads.

use liqo_events::{ClusterIdentityFacts, Effect, Event, Facts, IdentityChosen, Seq, Slot, Started};
use liqo_model::{ClusterId, ClusterName, Kind, ObjectKey};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Fact, State};

/// Name of the ConfigMap. Source: api-and-control-plane of Liqo 0.8.3, well-known names.
pub const IDENTITY_CONFIG_MAP: &str = "liqo-clusterid-configmap";

/// What the identity needs now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let Some(started) = &state.started else { return Vec::new() };
    match (observed(state), &state.identity) {
        (Some(seen), Some(known)) if seen.id == known.body.id && seen.name == known.body.name => Vec::new(),
        // The object that everybody reads is the truth, whoever wrote it.
        (Some(seen), _) => vec![choose(seen.id.clone(), seen.name.clone())],
        (None, Some(known)) => write(state, started, known),
        // Not to be chosen before a complete list has shown that there is none.
        (None, None) if state.local_list(Kind::ConfigMap).is_none() => Vec::new(),
        (None, None) => vec![choose(random_uuid(&started.body), name_of(&started.body))],
    }
}

fn observed(state: &State) -> Option<&ClusterIdentityFacts> {
    state.local(Kind::ConfigMap).filter(|(_, object)| !object.deleting).find_map(|(_, object)| match &object
        .facts
    {
        Facts::ClusterIdentity(facts) if !facts.id.is_empty() => Some(facts),
        _ => None,
    })
}

fn choose(id: ClusterId, name: ClusterName) -> Output {
    Output::Record(Event::IdentityChosen(IdentityChosen { id, name }))
}

fn write(state: &State, started: &Fact<Started>, known: &Fact<IdentityChosen>) -> Vec<Output> {
    // A restart must not write what a list has not shown to be missing.
    let Some(list) = state.local_list(Kind::ConfigMap) else { return Vec::new() };
    let key = ObjectKey::local(Kind::ConfigMap, started.body.namespace.as_str(), IDENTITY_CONFIG_MAP);
    let being_deleted = state.objects.get(&key).map_or(Seq(0), |object| object.seen);
    let effect = Effect::WriteIdentity { id: known.body.id.clone(), name: known.body.name.clone() };
    let slot = Slot { object: key, part: "data".to_owned() };
    state
        .request(Wish { slot, effect, because: known.seq.max(list.seq).max(being_deleted) })
        .into_iter()
        .collect()
}

/// A UUID of version 4 from the entropy of the start. Source: RFC 9562, section 5.4.
fn random_uuid(started: &Started) -> ClusterId {
    let mut bytes = started.entropy;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    ClusterId::new(parts.join("-"))
}

fn name_of(started: &Started) -> ClusterName {
    if !started.cluster_name.is_empty() {
        return started.cluster_name.clone();
    }
    let digits: String = started.entropy[..3].iter().map(|byte| format!("{byte:02x}")).collect();
    ClusterName::new(format!("cluster-{digits}"))
}
