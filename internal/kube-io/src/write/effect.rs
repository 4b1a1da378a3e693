//! From an effect to the step for an object. A new effect is one file here and one arm.

use liqo_events::Effect;
use liqo_model::ObjectKey;
use serde_json::Value;

use super::step::Step;
use super::{
    finalizer, foreign_cluster, identity, labels, namespace_map, offloading_status, tenant_namespace,
};

/// What the effect means for the object as it is, which is `None` when there is no such object.
pub(super) fn step(effect: &Effect, key: &ObjectKey, object: Option<&Value>) -> Step {
    if let Some(uid) = effect.life() {
        let Some(object) = object else { return Step::Superseded(format!("{key} is no more")) };
        if object["metadata"]["uid"].as_str() != Some(uid.as_str()) {
            return Step::Superseded(format!("{key} is another object of the same name"));
        }
        return of_life(effect, key, object);
    }
    match effect {
        Effect::WriteIdentity { id, name } => identity::step(key, id, name, object),
        Effect::EnsureTenantNamespace { id } => tenant_namespace::step(key, id, object),
        _ => Step::Nothing,
    }
}

fn of_life(effect: &Effect, key: &ObjectKey, object: &Value) -> Step {
    match effect {
        Effect::LabelForeignCluster { id, .. } => labels::cluster_id(id),
        Effect::SetScheduling { enabled, .. } => labels::scheduling(*enabled),
        Effect::WriteForeignClusterStatus { tenant_local, conditions, .. } => {
            foreign_cluster::status(tenant_local, conditions, object)
        }
        Effect::SetFinalizer { finalizer, present, .. } => finalizer::step(key, finalizer, *present, object),
        Effect::MapNamespace { namespace, remote, .. } => namespace_map::step(namespace, remote.as_ref()),
        Effect::WriteOffloadingStatus { remote_name, phase, observed_generation, conditions, .. } => {
            let head =
                offloading_status::Head { remote_name, phase, observed_generation: *observed_generation };
            offloading_status::step(&head, conditions, object)
        }
        _ => Step::Nothing,
    }
}
