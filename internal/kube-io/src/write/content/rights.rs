//! Rights of peers in namespaces, and of virtual kubelets.

use liqo_api::{annotations, labels, names};
use liqo_model::{ClusterId, NamespaceName, ObjectKey};
use serde_json::{Value, json};

use super::{Rendered, Rendering};
use crate::keys::MANAGED_BY_MANAGER;
use crate::write::step::Step;

const GROUP: &str = "rbac.authorization.k8s.io";
/// Who makes objects of virtual kubelets, as Liqo 0.8.3 calls it.
pub(super) const OPERATOR: (&str, &str) = ("app.kubernetes.io/managed-by", "advertisementoperator");

pub(super) fn peer_binding(
    key: &ObjectKey,
    user: &ClusterId,
    (role, managed_by): (&str, &str),
    object: Option<&Value>,
) -> Rendering {
    let subject = json!({"apiGroup": GROUP, "kind": "User", "name": user.as_str()});
    let mut rendered = binding(key, role, subject, object)?;
    if !managed_by.is_empty() {
        let annotation = annotations::MANAGED_BY_NAMESPACE_MAP.to_owned();
        rendered.annotations.insert(annotation, managed_by.to_owned());
    }
    Ok(rendered)
}

pub(super) fn kubelet_account(remote: &ClusterId) -> Rendered {
    Rendered::labelled([ours(), (labels::CLUSTER_ID, remote.as_str())])
}

pub(super) fn kubelet_binding(
    key: &ObjectKey,
    remote: &ClusterId,
    tenant: &NamespaceName,
    object: Option<&Value>,
) -> Rendering {
    let subject =
        json!({"kind": "ServiceAccount", "name": names::VIRTUAL_KUBELET, "namespace": tenant.as_str()});
    let mut rendered = binding(key, names::VIRTUAL_KUBELET_LOCAL_ROLE, subject, object)?;
    for (label, text) in [OPERATOR, (labels::CLUSTER_ID, remote.as_str())] {
        rendered.labels.insert(label.to_owned(), text.to_owned());
    }
    Ok(rendered)
}

/// Nobody can change the role of a binding, so one of another role is made anew, when it is ours.
fn binding(key: &ObjectKey, role: &str, subject: Value, object: Option<&Value>) -> Rendering {
    if let Some(object) = object.filter(|object| object["roleRef"]["name"] != role) {
        let (label, text) = ours();
        if object["metadata"]["labels"][label] == text {
            return Err(Step::Delete);
        }
        let known = object["roleRef"]["name"].as_str().unwrap_or_default();
        return Err(Step::Park(format!("{key} gives the role {known:?} and not {role:?}; delete it")));
    }
    let role = json!({"apiGroup": GROUP, "kind": "ClusterRole", "name": role});
    // The API server fills in the group of a service account; that it is empty says the same.
    Ok(Rendered::labelled([ours()]).with("roleRef", role).with("subjects", json!([subject])))
}

/// The label by which we find what is ours again.
pub(super) fn ours() -> (&'static str, &'static str) {
    (labels::MANAGED_BY, MANAGED_BY_MANAGER)
}
