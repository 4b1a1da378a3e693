//! The first objects of a cluster: what `kubeadm init` and its usual add-ons would have made.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::component::{
    STORAGE_ACCOUNT, STORAGE_CLASS, STORAGE_NAMESPACE, storage_config, storage_helper_pod, storage_scripts,
};
use crate::error::{Error, Result};
use crate::model::ClusterRecord;

/// Longer than what is in flight when an `up` is killed.
const APPLY_LIMIT: Duration = Duration::from_secs(15);
const APPLY_PAUSE: Duration = Duration::from_millis(200);
/// The owner of the testbed's fields in server-side apply.
const OWNER: &str = "liqo-testbed";

/// Makes the node objects before their kubelets do, each with its block of pod addresses: the order in which kubelets
/// register must not decide which routes are right.
///
/// # Errors
/// [`Error::Api`].
pub(crate) async fn create_nodes(client: &Client, record: &ClusterRecord) -> Result<()> {
    for (ordinal, node) in record.spec.node_names().iter().enumerate().take(record.spec.nodes) {
        let pods = record.spec.node_pods(ordinal).map(|cidr| cidr.to_string());
        let mut labels = json!({"kubernetes.io/hostname": node});
        if ordinal == 0 {
            labels["node-role.kubernetes.io/control-plane"] = "".into();
        }
        let object = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node, "labels": labels},
            "spec": {"podCIDR": pods, "podCIDRs": [pods]},
        });
        apply(client, record, &object).await?;
    }
    Ok(())
}

/// Makes everything else.
///
/// # Errors
/// [`Error::Api`].
pub(crate) async fn bootstrap(client: &Client, record: &ClusterRecord) -> Result<()> {
    let mut objects = vec![kubelet_client()];
    if !record.spec.control_plane_only() {
        objects.extend(dns(record));
        objects.extend(storage());
        if record.spec.load_balancer {
            objects.extend(load_balancer());
        }
    }
    futures::future::try_join_all(objects.iter().map(|object| apply(client, record, object))).await?;
    Ok(())
}

/// The API server may read logs and run commands through kubelets.
fn kubelet_client() -> Value {
    binding("testbed:kubelet-client", "system:kubelet-api-admin", "kube-apiserver-kubelet-client")
}

fn dns(record: &ClusterRecord) -> [Value; 4] {
    let ports = |target: bool| {
        ["UDP", "TCP"].map(|protocol| {
            let name = if protocol == "UDP" { "dns" } else { "dns-tcp" };
            let mut port = json!({"name": name, "port": 53, "protocol": protocol});
            if target {
                port["targetPort"] = 53.into();
            }
            port
        })
    };
    let metadata = json!({
        "name": "kube-dns",
        "namespace": "kube-system",
        "labels": {
            "k8s-app": "kube-dns",
            "kubernetes.io/name": "CoreDNS",
            "kubernetes.io/service-name": "kube-dns",
            "endpointslice.kubernetes.io/managed-by": OWNER,
        },
    });
    [
        role(
            "system:coredns",
            json!([
                {"apiGroups": [""], "resources": ["endpoints", "namespaces", "pods", "services"], "verbs": ["list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
            ]),
        ),
        binding("system:coredns", "system:coredns", "system:coredns"),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"clusterIP": record.spec.dns_address(), "ports": ports(true)},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
            "addressType": "IPv4",
            "endpoints": [{
                "addresses": [record.addresses().node(0).address],
                "nodeName": record.spec.name.node(0),
                "conditions": {"ready": true, "serving": true, "terminating": false},
            }],
            "ports": ports(false),
        }),
    ]
}

fn load_balancer() -> [Value; 2] {
    [
        role(
            "testbed:load-balancer",
            json!([
                {"apiGroups": [""], "resources": ["nodes", "services"], "verbs": ["list", "watch"]},
                {"apiGroups": [""], "resources": ["services/status"], "verbs": ["patch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
            ]),
        ),
        binding("testbed:load-balancer", "testbed:load-balancer", "testbed:load-balancer"),
    ]
}

fn storage() -> [Value; 6] {
    let mut data = serde_json::Map::from_iter([
        ("config.json".to_owned(), Value::from(storage_config())),
        ("helperPod.yaml".to_owned(), Value::from(storage_helper_pod())),
    ]);
    data.extend(storage_scripts().map(|(name, script)| (name.to_owned(), Value::from(script))));
    let name = "testbed:local-path-provisioner";
    [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STORAGE_NAMESPACE}}),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": STORAGE_ACCOUNT, "namespace": STORAGE_NAMESPACE},
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": STORAGE_NAMESPACE},
            "data": data,
        }),
        role(
            name,
            json!([
                {"apiGroups": [""], "resources": ["nodes", "persistentvolumeclaims", "configmaps", "pods", "pods/log"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["get", "list", "watch", "create", "patch", "update", "delete"]},
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete"]},
                {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
                {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["", "coordination.k8s.io"], "resources": ["leases", "endpoints"], "verbs": ["get", "list", "watch", "create", "patch", "update"]},
            ]),
        ),
        binding(name, name, name),
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        }),
    ]
}

fn role(name: &str, rules: Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": rules,
    })
}

fn binding(name: &str, role: &str, user: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    })
}

/// The path of an object of one of the kinds above.
fn path(object: &Value) -> Option<String> {
    let version = object["apiVersion"].as_str()?;
    let root = if version == "v1" { "/api".to_owned() } else { "/apis".to_owned() };
    let plural = match object["kind"].as_str()? {
        "StorageClass" => "storageclasses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let name = object["metadata"]["name"].as_str()?;
    Some(match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{root}/{version}/namespaces/{namespace}/{plural}/{name}"),
        None => format!("{root}/{version}/{plural}/{name}"),
    })
}

/// Server-side apply, so that a second `up` of a cluster changes nothing. It is tried again for a while: requests of an
/// `up` that was killed may still be under way, and an API server that is just ready may lack its first namespaces.
async fn apply(client: &Client, record: &ClusterRecord, object: &Value) -> Result<()> {
    let path = path(object).unwrap_or_default();
    let deadline = Instant::now() + APPLY_LIMIT;
    loop {
        let request = http::Request::patch(format!("{path}?fieldManager={OWNER}&force=true"))
            .header("content-type", "application/apply-patch+yaml")
            .body(object.to_string().into_bytes())
            .map_err(|e| Error::file("apply", &path)(std::io::Error::other(e)))?;
        match client.request::<Value>(request).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(Error::api(record.spec.name.as_str(), format!("apply {path}"))(error));
            }
            Err(_) => tokio::time::sleep(APPLY_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_group_scope_and_plural() {
        let [_, account, ..] = storage();
        assert_eq!(
            path(&account).unwrap(),
            "/api/v1/namespaces/local-path-storage/serviceaccounts/local-path-provisioner"
        );
        assert_eq!(path(&storage()[5]).unwrap(), "/apis/storage.k8s.io/v1/storageclasses/standard");
        assert_eq!(
            path(&kubelet_client()).unwrap(),
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/testbed:kubelet-client"
        );
    }
}
