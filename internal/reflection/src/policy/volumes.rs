//! Rules about volumes.

use serde_json::Value;

use super::{Inspection, Rule};

/// What may be the source of a volume: objects of the namespace, memory and disk that count as the pod's, images, and
/// shares that the pod could reach through the network anyway. Others use credentials of this cluster or programs on
/// its nodes.
const SOURCES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "nfs",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

pub(super) fn inspect(spec: &Value, inspection: &mut Inspection<'_>) {
    for (path, volume) in inspection.list(spec, "spec.pod", "volumes") {
        let Some(fields) = inspection.fields(volume, &path) else { continue };
        for (key, source) in fields.iter().filter(|(key, source)| *key != "name" && !source.is_null()) {
            let path = format!("{path}.{key}");
            match key.as_str() {
                "hostPath" => inspection.report(Rule::HostPath, &path, "is a path of a node"),
                "projected" => inspect_projected(source, &path, inspection),
                key if SOURCES.contains(&key) => {}
                _ => inspection.report(Rule::Volumes, &path, "is no source that a consumer may use"),
            }
        }
    }
}

fn inspect_projected(projected: &Value, path: &str, inspection: &mut Inspection<'_>) {
    for (path, source) in inspection.list(projected, path, "sources") {
        for key in ["serviceAccountToken", "podCertificate"] {
            if source.get(key).is_some_and(|token| !token.is_null()) {
                inspection.report(Rule::Tokens, &format!("{path}.{key}"), "is a credential of this cluster");
            }
        }
    }
}
