//! What is copied to the provider, and what comes back.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.2 and §B.3. The content of copies is made by the actuator; here
//! it is decided that there is one, and of what.

mod pods;

use std::collections::BTreeSet;

use liqo_events::{BodyDigest, Effect, Facts, Reflection, Seq, Slot};
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName, ObjectKey};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};
use crate::surroundings::COPY;
use crate::watching::COPIED_AT_HOME;

/// Kubernetes makes a ConfigMap of this name in every namespace, so its copy is called after the home cluster as well.
const ROOT_CERTIFICATES: &str = "kube-root-ca.crt";
/// How much of the ID of the home cluster is in that name.
const ID_CHARACTERS: usize = 5;

/// What an object or its copy needs now.
pub(super) fn plan(state: &State, key: &ObjectKey) -> Vec<Output> {
    let Some(home) = at_home(state, key) else { return Vec::new() };
    match home.kind {
        kind if state.kubelet().is_some_and(|settings| settings.not_reflected.contains(&kind)) => Vec::new(),
        Kind::Pod => pods::plan(state, &home),
        _ => plan_object(state, &home),
    }
}

/// What all of them need now.
pub(super) fn plan_all(state: &State) -> Vec<Output> {
    let Some(settings) = state.kubelet() else { return Vec::new() };
    let remote = ClusterRef::Remote(settings.remote.clone());
    let kinds = COPIED_AT_HOME.iter().chain([&Kind::Pod]);
    let here = kinds.flat_map(|kind| state.local(*kind)).map(|(key, _)| key);
    let copies =
        [Kind::ShadowPod, Kind::Pod, Kind::Service, Kind::ShadowEndpointSlice, Kind::ConfigMap, Kind::Secret];
    let there = copies.iter().flat_map(|kind| state.objects_of(&remote, *kind)).map(|(key, _)| key);
    let homes: BTreeSet<ObjectKey> = here.chain(there).filter_map(|key| at_home(state, key)).collect();
    homes.iter().flat_map(|home| plan(state, home)).collect()
}

/// The object at home that an object is, or is a copy of; nothing when it is none of those.
fn at_home(state: &State, key: &ObjectKey) -> Option<ObjectKey> {
    let settings = state.kubelet()?;
    match &key.cluster {
        ClusterRef::Local => {
            (COPIED_AT_HOME.contains(&key.kind) || key.kind == Kind::Pod).then(|| key.clone())
        }
        ClusterRef::Remote(id) if *id == settings.remote => {
            let kind = match key.kind {
                Kind::ShadowPod => Kind::Pod,
                Kind::ShadowEndpointSlice => Kind::EndpointSlice,
                kind => kind,
            };
            let is_root = kind == Kind::ConfigMap && key.name == root_certificates_of(&settings.home);
            let name = if is_root { ROOT_CERTIFICATES } else { key.name.as_str() };
            state.extended_from(&key.namespace).map(|local| ObjectKey::local(kind, local, name))
        }
        ClusterRef::Remote(_) => None,
    }
}

/// A copy of an object at home.
pub(super) fn copy_of(
    state: &State,
    home: &ObjectKey,
    kind: Kind,
    namespace: &NamespaceName,
) -> Option<ObjectKey> {
    let settings = state.kubelet()?;
    let is_root = kind == Kind::ConfigMap && home.name == ROOT_CERTIFICATES;
    let name = if is_root { root_certificates_of(&settings.home) } else { home.name.clone() };
    let cluster = ClusterRef::Remote(settings.remote.clone());
    Some(ObjectKey { cluster, kind, namespace: namespace.to_string(), name })
}

/// What [`ROOT_CERTIFICATES`] of a home cluster are called in the provider.
fn root_certificates_of(home: &ClusterId) -> String {
    let id: String = home.as_str().chars().take(ID_CHARACTERS).collect();
    format!("{ROOT_CERTIFICATES}.{id}")
}

fn plan_object(state: &State, home: &ObjectKey) -> Vec<Output> {
    let Some(namespace) = state.extended_to(&home.namespace) else { return Vec::new() };
    let kind = if home.kind == Kind::EndpointSlice { Kind::ShadowEndpointSlice } else { home.kind };
    let Some(copy) = copy_of(state, home, kind, namespace) else { return Vec::new() };
    // Without a list of what is there, a copy would be made over and over.
    let Some(listed) = state.list_for(&copy) else { return Vec::new() };
    match state.objects.get(home) {
        Some(object) if is_copied(state, home, object) => {
            let Some(reflection) = reflection(&object.facts) else { return Vec::new() };
            reflect(state, home, object, reflection.content, &copy).into_iter().collect()
        }
        found => {
            let gone =
                found.map_or_else(|| state.list_for(home).map(|list| list.seq), |object| Some(object.seen));
            let Some(cause) = gone else { return Vec::new() };
            delete_copy(state, &copy, cause.max(listed.seq)).into_iter().collect()
        }
    }
}

/// Whether an object is to be in the provider at all.
fn is_copied(state: &State, key: &ObjectKey, object: &Object) -> bool {
    let Some(reflection) = reflection(&object.facts) else { return false };
    if object.deleting || reflection.skipped {
        return false;
    }
    match key.kind {
        // Tokens of service accounts go their own way.
        Kind::Secret => reflection.belongs_to.is_empty(),
        // What a provider published here does not go back.
        Kind::EndpointSlice => reflection.managed_by.is_empty() && !is_skipped(state, key, reflection),
        _ => true,
    }
}

fn is_skipped(state: &State, slice: &ObjectKey, reflection: &Reflection) -> bool {
    let service = ObjectKey::local(Kind::Service, slice.namespace.as_str(), reflection.belongs_to.as_str());
    state.objects.get(&service).is_some_and(|object| match &object.facts {
        Facts::Service(service) => service.reflection.skipped,
        _ => false,
    })
}

/// The part of an object in reflection.
pub(super) fn reflection(facts: &Facts) -> Option<&Reflection> {
    match facts {
        Facts::Reflected(reflection) => Some(reflection),
        Facts::Service(service) => Some(&service.reflection),
        Facts::ShadowPod(shadow) => Some(&shadow.reflection),
        Facts::Pod(pod) => pod.reflection.as_deref(),
        _ => None,
    }
}

/// The copy says what the object at home says.
pub(super) fn reflect(
    state: &State,
    home: &ObjectKey,
    object: &Object,
    content: BodyDigest,
    copy: &ObjectKey,
) -> Option<Output> {
    let effect = Effect::Reflect { from: home.clone(), uid: object.uid.clone(), content };
    let slot = Slot { object: copy.clone(), part: COPY.to_owned() };
    let there = state.objects.get(copy);
    if there.is_some_and(|there| there.deleting) {
        return None;
    }
    // What was not made, because the transform said so, is not asked for again before it changes.
    if state.is_mirrored(&slot, &effect) {
        return None;
    }
    let because = object.seen.max(there.map_or(Seq(0), |there| there.seen));
    state.request(Wish { slot, effect, because })
}

/// The copy goes. Only what says that it is one is touched.
pub(super) fn delete_copy(state: &State, copy: &ObjectKey, cause: Seq) -> Option<Output> {
    let there = state.objects.get(copy)?;
    let settings = state.kubelet()?;
    let ours = reflection(&there.facts).is_some_and(|reflection| reflection.origin == settings.home);
    if !ours || there.deleting {
        return None;
    }
    let effect = Effect::Delete { uid: there.uid.clone(), grace: None, cause };
    let slot = Slot { object: copy.clone(), part: COPY.to_owned() };
    state.request(Wish { slot, effect, because: cause.max(there.seen) })
}

#[cfg(test)]
mod tests;
