//! The anti-affinity preset: how replicas of a pod avoid each other in the remote cluster.

use std::collections::BTreeMap;

use liqo_api::annotations::{
    ANTI_AFFINITY_HARD, ANTI_AFFINITY_LABELS, ANTI_AFFINITY_PRESET, ANTI_AFFINITY_PROPAGATE,
    ANTI_AFFINITY_SOFT,
};
use liqo_api::labels::LOCAL_POD;
use serde_json::{Value, json};

use crate::fields;
use crate::names::HOST_NAME;

/// Labels that tell one replica or one version from another, so replicas do not share them.
const NOT_SHARED: &[&str] =
    &[LOCAL_POD, "controller-revision-hash", "pod-template-hash", "statefulset.kubernetes.io/pod-name"];

/// The affinity that the annotation of the pod asks for.
pub(super) fn preset(home: &Value) -> Option<Value> {
    match fields::annotation(home, ANTI_AFFINITY_PRESET)? {
        ANTI_AFFINITY_PROPAGATE => {
            let own = home.pointer("/spec/affinity/podAntiAffinity").filter(|own| !own.is_null())?;
            Some(json!({"podAntiAffinity": own}))
        }
        ANTI_AFFINITY_SOFT => {
            let preferred = json!([{"weight": 1, "podAffinityTerm": term(home)?}]);
            Some(json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}))
        }
        ANTI_AFFINITY_HARD => {
            let required = json!([term(home)?]);
            Some(json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}))
        }
        _ => None,
    }
}

/// Nothing when the pod has no label that its replicas share: an empty selector would mean every pod of the
/// namespace.
fn term(home: &Value) -> Option<Value> {
    let shared = shared_labels(home);
    (!shared.is_empty()).then(|| json!({"labelSelector": {"matchLabels": shared}, "topologyKey": HOST_NAME}))
}

fn shared_labels(home: &Value) -> BTreeMap<String, String> {
    let listed = fields::annotation(home, ANTI_AFFINITY_LABELS).unwrap_or_default();
    let listed: Vec<&str> = listed.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    let is_shared = |key: &str| match listed.as_slice() {
        [] => !NOT_SHARED.contains(&key),
        listed => listed.contains(&key) && key != LOCAL_POD,
    };
    let mut labels = fields::texts(home, "/metadata/labels");
    labels.retain(|key, _| is_shared(key));
    labels
}
