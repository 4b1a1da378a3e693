//! The Deployment of a virtual kubelet.

use liqo_api::{annotations, labels, names};
use liqo_events::Content;
use liqo_model::{ClusterId, ObjectKey, virtual_node_name};
use serde_json::{Map, Value, json};

use super::rights::{OPERATOR, ours};
use super::{Rendered, Rendering, misplaced, over};
use crate::write::settings::VirtualKubeletSettings;
use crate::write::step::Step;

/// The user that our images run as.
const USER: u32 = 65532;
/// Where a process of ours writes: its log, and its sockets.
const WRITTEN: &[(&str, &str)] = &[("log", "/var/lib/liqo"), ("run", "/run/liqo")];

pub(super) fn deployment(
    key: &ObjectKey,
    content: &Content,
    settings: &VirtualKubeletSettings,
    object: Option<&Value>,
) -> Rendering {
    let Content::VirtualKubelet { remote, offer, settings: made_with, .. } = content else {
        return Err(misplaced());
    };
    if settings.image.is_empty() {
        return Err(Step::Park(format!("{key}: no image of virtual kubelets was given; see --help")));
    }
    let marks = marks(remote);
    let container = container(key, content, settings);
    let spec = match object {
        Some(object) => updated(&object["spec"], &container),
        None => over(None, spec(&marks, container)),
    };
    let mut rendered = Rendered {
        annotations: [
            (annotations::RESOURCE_OFFER.to_owned(), offer.clone()),
            (annotations::VIRTUAL_KUBELET_SETTINGS.to_owned(), made_with.clone()),
        ]
        .into(),
        ..Rendered::default()
    };
    rendered.labels = marks.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
    let (label, text) = ours();
    rendered.labels.insert(label.to_owned(), text.to_owned());
    Ok(rendered.with("spec", spec))
}

/// Labels of the Deployment and its pods, by which both select.
fn marks(remote: &ClusterId) -> [(&'static str, &str); 6] {
    [
        ("app.kubernetes.io/component", names::VIRTUAL_KUBELET),
        ("app.kubernetes.io/instance", names::VIRTUAL_KUBELET),
        OPERATOR,
        ("app.kubernetes.io/name", names::VIRTUAL_KUBELET),
        ("app.kubernetes.io/part-of", "liqo"),
        (labels::CLUSTER_ID, remote.as_str()),
    ]
}

fn spec(marks: &[(&str, &str)], container: Value) -> Value {
    let marks: Map<String, Value> =
        marks.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
    let volumes: Vec<Value> = WRITTEN.iter().map(|(name, _)| json!({"name": name, "emptyDir": {}})).collect();
    json!({
        "replicas": 1,
        // Two at a time would only wait for each other: one holds the lease.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": marks},
        "template": {
            "metadata": {"labels": marks},
            "spec": {
                "serviceAccountName": names::VIRTUAL_KUBELET,
                "securityContext": {
                    "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
                "volumes": volumes,
            },
        },
    })
}

fn container(key: &ObjectKey, content: &Content, settings: &VirtualKubeletSettings) -> Value {
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}});
    let mut env = vec![
        field("POD_IP", "status.podIP"),
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
        field("POD_UID", "metadata.uid"),
    ];
    env.extend(settings.env.iter().map(|(name, value)| json!({"name": name, "value": value})));
    let mounts: Vec<Value> =
        WRITTEN.iter().map(|(name, path)| json!({"name": name, "mountPath": path})).collect();
    json!({
        "name": names::VIRTUAL_KUBELET,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments(key, content, settings),
        "env": env,
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    })
}

fn arguments(key: &ObjectKey, content: &Content, settings: &VirtualKubeletSettings) -> Vec<String> {
    let Content::VirtualKubelet { remote, remote_name, home, home_name, .. } = content else {
        return Vec::new();
    };
    let mut arguments = vec![
        format!("--foreign-cluster-id={remote}"),
        format!("--foreign-cluster-name={remote_name}"),
        format!("--nodename={}", virtual_node_name(remote_name)),
        "--node-ip=$(POD_IP)".to_owned(),
        format!("--tenant-namespace={}", key.namespace),
        format!("--home-cluster-id={home}"),
        format!("--home-cluster-name={home_name}"),
    ];
    arguments.extend(settings.extra_args.iter().cloned());
    arguments
}

/// The spec that is there with our container as it shall be: what the API server and others added stays.
fn updated(known: &Value, container: &Value) -> Value {
    let mut spec = known.clone();
    let containers = spec.pointer_mut("/template/spec/containers").and_then(Value::as_array_mut);
    let Some(containers) = containers else { return spec };
    match containers.iter_mut().find(|known| known["name"] == container["name"]) {
        Some(Value::Object(known)) => {
            for field in ["image", "args", "env"] {
                known.insert(field.to_owned(), container[field].clone());
            }
        }
        _ => containers.push(container.clone()),
    }
    spec
}
