//! What an effect makes of an object, as the actuator of the control plane has it.

use liqo_events::{
    ClusterIdentityFacts, Condition, Content, Effect, Facts, NamespaceFacts, NamespaceMapFacts, OwnedBy,
    UnixMillis,
};
use liqo_model::{ClusterId, NamespaceName, ObjectKey, Uid};

use super::act::Given;
use crate::api::{New, Stored};
use crate::invariants::CANARY;

/// What is to be done about one object, decided from the object as it is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create(Box<New>),
    Replace(Box<Stored>),
    Delete,
    Superseded(&'static str),
    Park(&'static str),
    Later(&'static str),
}

/// What a step is decided from beside the object.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) effect: &'a Effect,
    /// The name of the object in its own cluster.
    pub(super) key: &'a ObjectKey,
    pub(super) given: &'a Given,
    /// Now, by the clock of the cluster.
    pub(super) at: UnixMillis,
}

/// The object that an effect copies from, and the life of it that counts; no life when any does.
pub(super) fn source_of(effect: &Effect) -> Option<(&ObjectKey, Option<&Uid>)> {
    match effect {
        Effect::Replicate { from, uid, .. } => Some((from, Some(uid))),
        Effect::ReplicateStatus { from, .. } => Some((from, None)),
        _ => None,
    }
}

impl Job<'_> {
    /// The step where everything around the control plane is a model's.
    pub(super) fn step(&self, current: Option<&Stored>) -> Step {
        step(self.effect, self.key, current)
    }
}

/// The object when it is the life that the effect is about; no object when the effect is about none.
pub(super) fn life_of<'a>(effect: &Effect, current: Option<&'a Stored>) -> Result<Option<&'a Stored>, Step> {
    let Some(uid) = effect.life() else { return Ok(None) };
    let Some(current) = current else { return Err(Step::Superseded("it is no more")) };
    if current.uid == *uid {
        Ok(Some(current))
    } else {
        Err(Step::Superseded("it is another object of the same name"))
    }
}

pub(super) fn step(effect: &Effect, key: &ObjectKey, current: Option<&Stored>) -> Step {
    match life_of(effect, current) {
        Err(step) => return step,
        Ok(Some(current)) => return of_life(effect, current),
        Ok(None) => {}
    }
    match effect {
        Effect::WriteIdentity { id, name } => {
            let facts = ClusterIdentityFacts { id: id.clone(), name: name.clone() };
            identity(key, facts, current)
        }
        Effect::EnsureTenantNamespace { id } => tenant_namespace(key, id, current),
        Effect::Put { content: Content::NamespaceMap { remote, owner } } => {
            map(key, (remote, owner), current)
        }
        Effect::Relist { .. } => Step::Superseded("it is no write"),
        // The API servers of peers, and what is only about them, are not part of this world.
        _ => Step::Park("there is no way to the peer"),
    }
}

/// Whether nobody can take it back: what it takes away in a peer is lost, and an object that it lets go took with it the
/// knowledge of what is still to be undone.
pub(super) fn is_final(effect: &Effect) -> bool {
    effect.is_destructive() || matches!(effect, Effect::SetFinalizer { present: false, .. })
}

pub(super) fn of_life(effect: &Effect, current: &Stored) -> Step {
    let mut after = current.clone();
    match (effect, &mut after.facts) {
        (Effect::LabelForeignCluster { id, .. }, Facts::ForeignCluster(facts)) => {
            facts.labelled_id = id.clone();
        }
        (Effect::SetScheduling { enabled, .. }, Facts::Namespace(facts)) => {
            facts.scheduling_enabled = *enabled;
        }
        (
            Effect::WriteForeignClusterStatus { tenant_local, tenant_remote, conditions, .. },
            Facts::ForeignCluster(facts),
        ) => {
            // A merge leaves what it does not name.
            if !tenant_local.is_empty() {
                facts.tenant_local = tenant_local.clone();
            }
            if !tenant_remote.is_empty() {
                facts.tenant_remote = tenant_remote.clone();
            }
            facts.conditions = conditions.iter().map(as_written).collect();
        }
        (Effect::MapNamespace { namespace, remote, .. }, Facts::NamespaceMap(facts)) => match remote {
            Some(remote) => {
                facts.desired.insert(namespace.clone(), remote.clone());
            }
            None => {
                facts.desired.remove(namespace);
            }
        },
        (
            Effect::WriteOffloadingStatus { remote_name, phase, observed_generation, conditions, .. },
            Facts::Offloading(facts),
        ) => {
            facts.remote_name = remote_name.clone();
            facts.phase.clone_from(phase);
            facts.observed_generation = *observed_generation;
            let written =
                conditions.iter().map(|(map, all)| (map.clone(), all.iter().map(as_written).collect()));
            facts.conditions = written.collect();
        }
        (Effect::SetFinalizer { finalizer, present, .. }, _) => match (present, current.deleting) {
            (true, true) if !current.finalizers.contains(finalizer) => {
                return Step::Superseded("it is being deleted");
            }
            (true, _) => {
                after.finalizers.insert(finalizer.clone());
            }
            (false, _) => {
                after.finalizers.remove(finalizer);
            }
        },
        (Effect::Delete { .. }, _) if current.deleting => {}
        (Effect::Delete { .. }, _) => return Step::Delete,
        _ => return Step::Park("it is of another kind"),
    }
    Step::Replace(Box::new(after))
}

/// The map of a virtual node, which goes with it.
fn map(key: &ObjectKey, (remote, node): (&ClusterId, &OwnedBy), current: Option<&Stored>) -> Step {
    match current {
        Some(current) if current.deleting => Step::Later("it is being deleted"),
        Some(current) => Step::Replace(Box::new(current.clone())),
        None => {
            let facts =
                NamespaceMapFacts { remote_cluster: remote.clone(), origin: true, ..Default::default() };
            let facts = Facts::NamespaceMap(facts);
            Step::Create(Box::new(New { rest: owned_by(&node.uid), ..New::of(key.clone(), facts) }))
        }
    }
}

/// What an object says of its owner, without which it goes.
pub(crate) fn owned_by(uid: &Uid) -> String {
    format!("{CANARY} owned by {uid}")
}

/// Kubernetes keeps whole seconds.
fn as_written(condition: &Condition) -> Condition {
    Condition { since: UnixMillis(condition.since.0.div_euclid(1000) * 1000), ..condition.clone() }
}

fn identity(key: &ObjectKey, wanted: ClusterIdentityFacts, current: Option<&Stored>) -> Step {
    let Some(current) = current else {
        let facts = Facts::ClusterIdentity(wanted);
        return Step::Create(Box::new(New::of(key.clone(), facts)));
    };
    let known = match &current.facts {
        Facts::ClusterIdentity(known) => known.clone(),
        _ => ClusterIdentityFacts::default(),
    };
    if !known.id.is_empty() && known.id != wanted.id {
        return Step::Superseded("it has another identity");
    }
    let name = if known.name.is_empty() { wanted.name } else { known.name };
    let facts = Facts::ClusterIdentity(ClusterIdentityFacts { id: wanted.id, name });
    Step::Replace(Box::new(Stored { facts, ..current.clone() }))
}

fn tenant_namespace(key: &ObjectKey, id: &ClusterId, current: Option<&Stored>) -> Step {
    let Some(current) = current else {
        let facts = NamespaceFacts { tenant_of: id.clone(), ..NamespaceFacts::default() };
        return Step::Create(Box::new(New::of(key.clone(), Facts::Namespace(facts))));
    };
    match &current.facts {
        Facts::Namespace(facts) if facts.tenant_of == *id => {}
        Facts::Namespace(facts) if facts.tenant_of.is_empty() => return Step::Park("it is not of Liqo"),
        _ => return Step::Park("it belongs to another peer"),
    }
    if current.deleting {
        return Step::Later("it is being deleted");
    }
    Step::Replace(Box::new(current.clone()))
}

/// The remote name that an object asks for, if it is a map that asks for one.
pub(crate) fn remote_of<'a>(object: &'a Stored, namespace: &NamespaceName) -> Option<&'a NamespaceName> {
    match &object.facts {
        Facts::NamespaceMap(facts) => facts.desired.get(namespace),
        _ => None,
    }
}
