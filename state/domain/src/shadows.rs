//! What shadows stand for: a ShadowPod for a pod, a ShadowEndpointSlice for endpoints.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §8. **Terminal is terminal**: a pod that succeeded or failed is not made
//! again, whatever its restart policy; one that merely ended because it was deleted is.

use liqo_events::{
    Effect, Facts, ForeignClusterFacts, Owner, PodFacts, Reflection, Seq, ShadowPodFacts, Status,
};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};
use crate::surroundings::COPY;
use crate::watching::foreign_cluster;
use crate::wishes::slot;

/// What one shadow, or the object of one, needs now.
pub(crate) fn plan(state: &State, key: &ObjectKey) -> Vec<Output> {
    if key.cluster != ClusterRef::Local {
        return Vec::new();
    }
    match key.kind {
        Kind::ShadowPod | Kind::Pod => plan_pod(state, &key.namespace, &key.name),
        Kind::ShadowEndpointSlice | Kind::EndpointSlice => {
            plan_slice(state, &key.namespace, &key.name).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What all of them need now.
pub(crate) fn plan_all(state: &State) -> Vec<Output> {
    let shadows = state.local(Kind::ShadowPod).chain(state.local(Kind::ShadowEndpointSlice));
    let of_living = shadows.flat_map(|(key, _)| plan(state, key));
    let unwanted = |from: &ObjectKey| !state.objects.contains_key(from);
    let of_gone = state.withdraw_all(|command| match &command.effect {
        Effect::Materialize { from, .. } => unwanted(from),
        _ => false,
    });
    of_living.chain(of_gone).collect()
}

fn plan_pod(state: &State, namespace: &str, name: &str) -> Vec<Output> {
    let shadow = ObjectKey::local(Kind::ShadowPod, namespace, name);
    let pod = ObjectKey::local(Kind::Pod, namespace, name);
    let known = state.objects.get(&shadow).filter(|object| !object.deleting);
    let Some((object, Facts::ShadowPod(facts))) = known.map(|object| (object, &object.facts)) else {
        return state.withdraw(&slot(&pod, COPY)).into_iter().collect();
    };
    let listed = state.list_for(&pod).zip(state.list_for(&shadow));
    let Some((list, _)) = listed.filter(|_| !is_ending(state, namespace)) else { return Vec::new() };
    let Some((made, now)) = pod_at(state, &pod) else {
        if state.objects.contains_key(&pod) || is_terminal(facts) {
            return state.withdraw(&slot(&pod, COPY)).into_iter().collect();
        }
        return materialize(state, (&shadow, object), &pod, &facts.reflection, (list.seq, true))
            .into_iter()
            .collect();
    };
    // A pod of the same name that somebody else has made is left alone.
    if !is_of(now.owner.as_ref(), object) {
        return state.withdraw(&slot(&pod, COPY)).into_iter().collect();
    }
    let ended = matches!(now.phase.as_str(), "Succeeded" | "Failed");
    let adorned = if ended || made.deleting {
        state.withdraw(&slot(&pod, COPY))
    } else {
        materialize(state, (&shadow, object), &pod, &facts.reflection, (made.seen, true))
    };
    adorned.into_iter().chain(phase(state, &shadow, facts, (made, now))).collect()
}

/// Whether a namespace is being deleted: nothing can be made in it any more.
fn is_ending(state: &State, namespace: &str) -> bool {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, namespace);
    state.objects.get(&key).is_some_and(|namespace| namespace.deleting)
}

fn pod_at<'a>(state: &'a State, key: &ObjectKey) -> Option<(&'a Object, &'a PodFacts)> {
    let object = state.objects.get(key)?;
    match &object.facts {
        Facts::Pod(facts) => Some((object, facts)),
        _ => None,
    }
}

fn is_of(owner: Option<&Owner>, shadow: &Object) -> bool {
    owner.is_some_and(|owner| owner.kind == Kind::ShadowPod.as_str() && owner.uid == shadow.uid)
}

fn is_terminal(shadow: &ShadowPodFacts) -> bool {
    matches!(shadow.phase.as_str(), "Succeeded" | "Failed")
}

/// The phase of the pod, for the shadow to show. What a pod that is to run always ends with because it was deleted is not
/// how it ended: it is made again.
fn phase(
    state: &State,
    shadow: &ObjectKey,
    facts: &ShadowPodFacts,
    pod: (&Object, &PodFacts),
) -> Option<Output> {
    let (made, now) = pod;
    let always = !matches!(facts.restart_policy.as_str(), "Never" | "OnFailure");
    let ended = matches!(now.phase.as_str(), "Succeeded" | "Failed");
    if now.phase.is_empty() || is_terminal(facts) && !ended || made.deleting && always && ended {
        return None;
    }
    let fulfilled = facts.phase == now.phase;
    state.put_status(shadow, Status::ShadowPod(now.phase.clone()), made.seen, fulfilled)
}

fn plan_slice(state: &State, namespace: &str, name: &str) -> Option<Output> {
    let shadow = ObjectKey::local(Kind::ShadowEndpointSlice, namespace, name);
    let slice = ObjectKey::local(Kind::EndpointSlice, namespace, name);
    let known = state.objects.get(&shadow).filter(|object| !object.deleting);
    let Some((object, Facts::Reflected(facts))) = known.map(|object| (object, &object.facts)) else {
        return state.withdraw(&slot(&slice, COPY));
    };
    let list = state.list_for(&slice)?;
    state.list_for(&shadow).filter(|_| !is_ending(state, namespace))?;
    state.local_list(Kind::ForeignCluster)?;
    let because = match state.objects.get(&slice) {
        Some(made) if made.deleting => return None,
        Some(made) => made.seen,
        None => list.seq,
    };
    let reachable = reachable(state, facts)?;
    materialize(state, (&shadow, object), &slice, facts, (because, reachable))
}

/// Whether the consumer's network and API server are there; nothing when nobody knows the consumer.
fn reachable(state: &State, shadow: &Reflection) -> Option<bool> {
    foreign_cluster(state, &shadow.origin).map(can_be_reached)
}

/// What endpoints depend on of a ForeignCluster: the peer, and whether it can be reached.
pub(crate) fn reach(facts: Option<&Facts>) -> Option<(&ClusterId, bool)> {
    match facts {
        Some(Facts::ForeignCluster(facts)) => Some((&facts.cluster_id, can_be_reached(facts))),
        _ => None,
    }
}

fn can_be_reached(facts: &ForeignClusterFacts) -> bool {
    let is = |kind: &str, statuses: &[&str]| {
        let mut conditions = facts.conditions.iter();
        conditions.any(|one| one.kind == kind && statuses.contains(&one.status.as_str()))
    };
    is("NetworkStatus", &["Established", "External"]) && is("APIServerStatus", &["Established"])
}

/// The object is there and says what the shadow says.
fn materialize(
    state: &State,
    (from, shadow): (&ObjectKey, &Object),
    key: &ObjectKey,
    reflection: &Reflection,
    (because, reachable): (Seq, bool),
) -> Option<Output> {
    let effect = Effect::Materialize {
        from: from.clone(),
        uid: shadow.uid.clone(),
        content: reflection.content,
        reachable,
    };
    let slot = slot(key, COPY);
    let fulfilled = state.objects.contains_key(key) && state.is_mirrored(&slot, &effect);
    state.ensure(Wish { slot, effect, because: because.max(shadow.seen) }, fulfilled)
}
