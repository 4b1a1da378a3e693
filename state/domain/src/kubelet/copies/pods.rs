//! A pod of the virtual node, its ShadowPod in the provider, and the pod there.

use liqo_events::{Effect, Facts, PodFacts, Seq, Slot, Status};
use liqo_model::{Kind, ObjectKey};

use super::{copy_of, delete_copy, reflect, reflection};
use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};
use crate::surroundings::COPY;

/// The reason of a pod that was given up because its namespace did not extend any more.
const ABORTED: &str = "OffloadingAborted";
/// The reason of a pod that waits for its namespace to extend.
const WAITING: &str = "OffloadingBackOff";

/// Both ends of one pod.
struct Pod<'a> {
    state: &'a State,
    home_key: &'a ObjectKey,
    shadow_key: ObjectKey,
    shadow: Option<&'a Object>,
    remote_key: ObjectKey,
    remote: Option<(&'a Object, &'a PodFacts)>,
}

/// What a pod at home, or what is left of it in the provider, needs now.
pub(super) fn plan(state: &State, home: &ObjectKey) -> Vec<Output> {
    let Some(settings) = state.kubelet() else { return Vec::new() };
    let here = state.objects.get(home).and_then(|object| match &object.facts {
        Facts::Pod(facts) if facts.node == settings.node => Some((object, facts)),
        _ => None,
    });
    let Some(namespace) = state.extended_to(&home.namespace) else {
        return unmapped(state, home, here).into_iter().collect();
    };
    let (Some(shadow_key), Some(remote_key)) =
        (copy_of(state, home, Kind::ShadowPod, namespace), copy_of(state, home, Kind::Pod, namespace))
    else {
        return Vec::new();
    };
    let listed = [&shadow_key, &remote_key].map(|key| state.list_for(key).map(|list| list.seq));
    let [Some(shadows), Some(pods)] = listed else { return Vec::new() };
    let remote = state.objects.get(&remote_key).and_then(|object| match &object.facts {
        Facts::Pod(facts) => Some((object, facts)),
        _ => None,
    });
    let shadow = state.objects.get(&shadow_key);
    let pod = Pod { state, home_key: home, shadow_key, shadow, remote_key, remote };
    match here {
        Some((object, facts)) => pod.life(object, facts, shadows.max(pods)),
        None => pod.end(),
    }
}

/// Without a namespace in the provider there is nobody who would run the pod, or end it.
///
/// Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.3.1.h.
fn unmapped(state: &State, home: &ObjectKey, here: Option<(&Object, &PodFacts)>) -> Option<Output> {
    let (object, facts) = here?;
    if object.deleting {
        return remove(state, home, object, object.seen);
    }
    // Which namespaces extend is not known before.
    state.local_list(Kind::NamespaceMap)?;
    let is_told = match facts.phase.as_str() {
        "Succeeded" => true,
        "Pending" | "" if facts.containers.is_empty() => facts.reason == WAITING,
        phase => phase == "Failed" && facts.reason == ABORTED,
    };
    state.put_status(home, Status::UnmappedPod, object.seen, is_told)
}

/// Ends a pod at home for good.
fn remove(state: &State, home: &ObjectKey, object: &Object, cause: Seq) -> Option<Output> {
    let effect = Effect::Delete { uid: object.uid.clone(), grace: Some(0), cause };
    let slot = Slot { object: home.clone(), part: "end".to_owned() };
    state.request(Wish { slot, effect, because: cause.max(object.seen) })
}

impl Pod<'_> {
    /// Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.3.1.b.
    fn life(&self, home: &Object, facts: &PodFacts, listed: Seq) -> Vec<Output> {
        if home.deleting {
            return self.ending(home, listed);
        }
        let ended = matches!(facts.phase.as_str(), "Succeeded" | "Failed");
        if facts.phase == "Failed" && facts.reason == ABORTED {
            return delete_copy(self.state, &self.shadow_key, home.seen).into_iter().collect();
        }
        if self.shadow.is_some_and(|shadow| is_of_another_life(shadow, home)) {
            return delete_copy(self.state, &self.shadow_key, home.seen).into_iter().collect();
        }
        let mut outputs = Vec::new();
        // A pod that ended never runs again, whatever became of its copy.
        if self.shadow.is_some() || !ended {
            outputs.extend(reflect(self.state, self.home_key, home, facts.content, &self.shadow_key));
        }
        outputs.extend(self.mirror(home));
        outputs
    }

    /// The user let the pod go: first there, then here.
    fn ending(&self, home: &Object, listed: Seq) -> Vec<Output> {
        if self.shadow.is_none() && self.remote.is_none() {
            let undone = self.is_being_made();
            let cause = home.seen.max(listed);
            return if undone {
                Vec::new()
            } else {
                remove(self.state, self.home_key, home, cause).into_iter().collect()
            };
        }
        let mut outputs: Vec<Output> =
            delete_copy(self.state, &self.shadow_key, home.seen).into_iter().collect();
        outputs.extend(self.mirror(home));
        outputs
    }

    /// Whether a ShadowPod may have been made that nobody has seen yet.
    fn is_being_made(&self) -> bool {
        let slot = Slot { object: self.shadow_key.clone(), part: COPY.to_owned() };
        self.state.is_unsettled(&slot)
    }

    /// The pod at home is certainly gone, and so is what ran for it.
    fn end(&self) -> Vec<Output> {
        let Some(list) = self.state.list_for(self.home_key) else { return Vec::new() };
        delete_copy(self.state, &self.shadow_key, list.seq).into_iter().collect()
    }

    /// The status in the provider comes home.
    fn mirror(&self, home: &Object) -> Option<Output> {
        let (remote, facts) = self.remote.filter(|(remote, _)| !is_of_another_life(remote, home))?;
        let effect = Effect::MirrorStatus {
            from: self.remote_key.clone(),
            uid: home.uid.clone(),
            status: facts.status,
        };
        let slot = Slot { object: self.home_key.clone(), part: COPY.to_owned() };
        if self.state.is_mirrored(&slot, &effect) {
            return None;
        }
        self.state.request(Wish { slot, effect, because: remote.seen.max(home.seen) })
    }
}

/// Whether a copy is of an earlier pod of the same name. One that does not say is judged by its name.
fn is_of_another_life(copy: &Object, home: &Object) -> bool {
    reflection(&copy.facts)
        .is_some_and(|reflection| !reflection.home_uid.is_empty() && reflection.home_uid != home.uid)
}
