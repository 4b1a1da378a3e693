//! From an effect to the step for an object. A new effect is one file here and one arm.

use liqo_events::{Effect, UnixMillis};
use liqo_model::ObjectKey;
use serde_json::Value;

use super::settings::WriterSettings;
use super::source::Consumer;
use super::step::Step;
use super::{
    approval, finalizer, foreign_cluster, identity, labels, materialize, namespace_map, offloading_status,
    owner, put, put_status, replicate, tenant_namespace,
};
use crate::{mirror, reflect};

/// What a step is decided from beside the object.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) effect: &'a Effect,
    pub(super) key: &'a ObjectKey,
    pub(super) settings: &'a WriterSettings,
    /// Now, for moments that objects show.
    pub(super) now: UnixMillis,
    /// The object that is copied, for effects that copy.
    pub(super) source: Option<&'a Value>,
    /// Whose namespace it is, for effects that make what a shadow stands for.
    pub(super) consumer: Option<&'a Consumer>,
}

impl Job<'_> {
    /// What the effect means for the object as it is, which is `None` when there is no such object.
    pub(super) fn step(&self, object: Option<&Value>) -> Step {
        let key = self.key;
        let Some(uid) = self.effect.life() else { return self.making(object) };
        let Some(object) = object else { return Step::Superseded(format!("{key} is no more")) };
        if object["metadata"]["uid"].as_str() != Some(uid.as_str()) {
            return Step::Superseded(format!("{key} is another object of the same name"));
        }
        self.of_life(object)
    }

    /// Effects that make the object when there is none.
    fn making(&self, object: Option<&Value>) -> Step {
        let Self { key, settings, .. } = self;
        match (self.effect, self.source) {
            (Effect::WriteIdentity { id, name }, _) => identity::step(key, id, name, object),
            (Effect::EnsureTenantNamespace { id }, _) => tenant_namespace::step(key, id, object),
            (Effect::Put { content }, _) => put::step(key, content, &settings.virtual_kubelet, object),
            (Effect::Replicate { home, .. }, Some(source)) => replicate::step(key, home, source, object),
            (Effect::Reflect { from, .. }, Some(source)) => {
                reflect::step(&settings.reflections, (from, key), source, object)
            }
            (Effect::Materialize { reachable, .. }, Some(source)) => match self.consumer {
                Some(consumer) => materialize::step(key, source, (consumer, *reachable), object),
                None => Step::Nothing,
            },
            _ => Step::Nothing,
        }
    }

    /// Effects on one life of an object.
    fn of_life(&self, object: &Value) -> Step {
        let Self { key, settings, .. } = self;
        match (self.effect, self.source) {
            (Effect::LabelForeignCluster { id, .. }, _) => labels::cluster_id(id),
            (Effect::SetScheduling { enabled, .. }, _) => labels::scheduling(*enabled),
            (Effect::WriteForeignClusterStatus { tenant_local, tenant_remote, conditions, .. }, _) => {
                foreign_cluster::status(tenant_local, tenant_remote, conditions, object)
            }
            (Effect::SetFinalizer { finalizer, present, .. }, _) => {
                finalizer::step(key, finalizer, *present, object)
            }
            (Effect::SetOwner { owner, .. }, _) => owner::step(owner, object),
            (Effect::MapNamespace { namespace, remote, .. }, _) => {
                namespace_map::step(namespace, remote.as_ref())
            }
            (
                Effect::WriteOffloadingStatus { remote_name, phase, observed_generation, conditions, .. },
                _,
            ) => {
                let observed_generation = *observed_generation;
                let head = offloading_status::Head { remote_name, phase, observed_generation };
                offloading_status::step(&head, conditions, object)
            }
            (Effect::PutStatus { status, .. }, _) => put_status::step(key, status, self.now, object),
            (Effect::ApproveSigning { .. }, _) => approval::step(key, self.now, object),
            (Effect::ReplicateStatus { .. }, Some(source)) => replicate::status(source, object),
            (Effect::MirrorStatus { from, .. }, Some(source)) => {
                mirror::step(&settings.reflections, (from, key), source, object)
            }
            _ => Step::Nothing,
        }
    }
}
