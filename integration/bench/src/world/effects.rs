//! What commands make of objects, as the watch shows it afterwards.

use liqo_domain::{Object, State};
use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, Effect, Facts, MappingFacts, NamespaceFacts,
    UnixMillis,
};
use liqo_model::{ObjectKey, ResourceVersion};

use super::objects::{Made, uid};

/// The objects that a command changes, in the order in which watches show them.
pub(super) fn of(state: &State, command: &Command) -> Vec<Made> {
    let key = command.slot.object.clone();
    match &command.effect {
        Effect::WriteIdentity { id, name } => {
            let facts = ClusterIdentityFacts { id: id.clone(), name: name.clone() };
            return vec![(key, Facts::ClusterIdentity(facts))];
        }
        Effect::EnsureTenantNamespace { id } => {
            let facts = NamespaceFacts { tenant_of: id.clone(), ..NamespaceFacts::default() };
            return vec![(key, Facts::Namespace(facts))];
        }
        _ => {}
    }
    let Some(known) = state.objects.get(&key) else { return Vec::new() };
    let mut facts = known.facts.clone();
    change(&mut facts, &command.effect);
    // No watch shows a write that changes nothing; what is about peers' own API servers is not part of this world.
    if facts == known.facts {
        return Vec::new();
    }
    let answered = answer_of_peer(&facts, &command.effect).map(|answer| (key.clone(), answer));
    [(key, facts)].into_iter().chain(answered).collect()
}

fn change(facts: &mut Facts, effect: &Effect) {
    match (effect, facts) {
        (Effect::LabelForeignCluster { id, .. }, Facts::ForeignCluster(facts)) => {
            facts.labelled_id = id.clone();
        }
        (
            Effect::WriteForeignClusterStatus { tenant_local, tenant_remote, conditions, .. },
            Facts::ForeignCluster(facts),
        ) => {
            facts.tenant_local = tenant_local.clone();
            facts.tenant_remote = tenant_remote.clone();
            facts.conditions.clone_from(conditions);
        }
        (Effect::SetFinalizer { present, .. }, Facts::Offloading(facts)) => facts.finalizer = *present,
        (Effect::SetFinalizer { present, .. }, Facts::Node(facts)) => facts.finalizer = *present,
        (Effect::SetFinalizer { finalizer, present, .. }, Facts::ForeignCluster(facts)) => {
            facts.finalizers.retain(|known| known != finalizer);
            facts.finalizers.extend(present.then(|| finalizer.clone()));
        }
        (Effect::SetScheduling { enabled, .. }, Facts::Namespace(facts)) => {
            facts.scheduling_enabled = *enabled;
        }
        (Effect::MapNamespace { namespace, remote, .. }, Facts::NamespaceMap(facts)) => match remote {
            Some(remote) => drop(facts.desired.insert(namespace.clone(), remote.clone())),
            None => drop(facts.desired.remove(namespace)),
        },
        (
            Effect::WriteOffloadingStatus { remote_name, phase, observed_generation, conditions, .. },
            Facts::Offloading(facts),
        ) => {
            facts.remote_name = remote_name.clone();
            facts.phase.clone_from(phase);
            facts.observed_generation = *observed_generation;
            facts.conditions.clone_from(conditions);
        }
        _ => {}
    }
}

/// The peer makes the namespace and says so in the map.
fn answer_of_peer(facts: &Facts, effect: &Effect) -> Option<Facts> {
    let (Effect::MapNamespace { namespace, remote, .. }, Facts::NamespaceMap(facts)) = (effect, facts) else {
        return None;
    };
    let mut facts = facts.clone();
    match remote {
        Some(remote) => {
            let mapping = MappingFacts { remote: remote.clone(), phase: "Accepted".to_owned() };
            facts.current.insert(namespace.as_str().to_owned(), mapping);
        }
        None => drop(facts.current.remove(namespace.as_str())),
    }
    Some(Facts::NamespaceMap(facts))
}

/// An observation. A new object gets a uid of its own, and every observation another digest.
pub(super) fn applied(
    known: Option<&Object>,
    object: ObjectKey,
    facts: Facts,
    resource_version: ResourceVersion,
) -> Applied {
    let times = known.map_or(0, |known| known.digest.0[0]).wrapping_add(1);
    let mut digest = [times; 16];
    digest[8..].copy_from_slice(&uid(&object.name).as_bytes()[..8]);
    Applied {
        uid: known.map_or_else(|| uid(&object.to_string()).into(), |known| known.uid.clone()),
        object,
        resource_version,
        generation: known.map_or(1, |known| known.generation),
        created_at: known.map_or(UnixMillis(1_700_000_000_000), |known| known.created_at),
        deleting: false,
        digest: BodyDigest(digest),
        facts,
        coalesced: 0,
    }
}
