//! Objects of the cluster rome, which peers with milan, in the form that Liqo 0.8.3 gives them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(crate) const ROME: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";
pub(crate) const MILAN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";
/// A token that must appear nowhere but where it is asked for.
pub(crate) const TOKEN: &str = "canary00112233445566778899";
/// What tokens tell of the key of rome.
pub(crate) const PIN: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
/// `canary00112233445566778899` in base64.
pub(crate) const TOKEN_BASE64: &str = "Y2FuYXJ5MDAxMTIyMzM0NDU1NjY3Nzg4OTk=";

pub(crate) const FOREIGN_CLUSTERS: &str = "/apis/discovery.liqo.io/v1alpha1/foreignclusters";
pub(crate) const FOREIGN_CLUSTER: &str = "/apis/discovery.liqo.io/v1alpha1/foreignclusters/milan";
pub(crate) const VIRTUAL_NODE: &str = "/api/v1/nodes/liqo-milan";
pub(crate) const TENANT: &str = "liqo-tenant-milan-efa86c";

pub(crate) fn namespace(name: &str) -> (String, Value) {
    (format!("/api/v1/namespaces/{name}"), json!({"metadata": {"name": name}}))
}

/// What is there before any peering.
pub(crate) fn installed() -> Vec<(String, Value)> {
    let identity = json!({
        "metadata": {
            "name": "liqo-clusterid-configmap", "namespace": "liqo",
            "labels": {"app.kubernetes.io/name": "clusterid-configmap"},
        },
        "data": {"CLUSTER_ID": ROME, "CLUSTER_NAME": "rome"},
    });
    let auth = json!({
        "metadata": {"name": "liqo-auth", "namespace": "liqo"},
        "spec": {"type": "NodePort", "ports": [{"name": "https", "port": 443, "nodePort": 31770}]},
    });
    let token = json!({
        "metadata": {"name": "auth-token", "namespace": "liqo"}, "type": "Opaque", "data": {"token": TOKEN_BASE64},
    });
    let key = json!({
        "metadata": {"name": "liqo-auth-key", "namespace": "liqo"}, "type": "Opaque",
        "data": {"pin": STANDARD.encode(PIN)},
    });
    let node = json!({
        "metadata": {"name": "rome-worker", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "status": {"addresses": [{"type": "InternalIP", "address": "172.18.1.1"}]},
    });
    vec![
        namespace("liqo"),
        ("/api/v1/namespaces/liqo/configmaps/liqo-clusterid-configmap".to_owned(), identity),
        ("/api/v1/namespaces/liqo/services/liqo-auth".to_owned(), auth),
        ("/api/v1/namespaces/liqo/secrets/auth-token".to_owned(), token),
        ("/api/v1/namespaces/liqo/secrets/liqo-auth-key".to_owned(), key),
        ("/api/v1/nodes/rome-worker".to_owned(), node),
    ]
}

/// A peering in the direction of milan.
pub(crate) fn peered() -> Vec<(String, Value)> {
    let conditions = [
        ("AuthenticationStatus", "Established"),
        ("OutgoingPeering", "Established"),
        ("NetworkStatus", "Established"),
        ("IncomingPeering", "None"),
        ("APIServerStatus", "Established"),
    ];
    let mut peer = foreign_cluster("Yes");
    peer["status"] = status(&conditions);
    [(FOREIGN_CLUSTER.to_owned(), peer), (VIRTUAL_NODE.to_owned(), virtual_node("True"))]
        .into_iter()
        .chain(installed())
        .collect()
}

pub(crate) fn foreign_cluster(outgoing: &str) -> Value {
    json!({
        "apiVersion": "discovery.liqo.io/v1alpha1",
        "kind": "ForeignCluster",
        "metadata": {
            "name": "milan", "generation": 1, "labels": {"discovery.liqo.io/cluster-id": MILAN},
        },
        "spec": {
            "clusterIdentity": {"clusterID": MILAN, "clusterName": "milan"},
            "foreignAuthUrl": "https://172.18.2.1:31050",
            "incomingPeeringEnabled": "Auto",
            "insecureSkipTLSVerify": true,
            "outgoingPeeringEnabled": outgoing,
            "peeringType": "OutOfBand",
        },
    })
}

pub(crate) fn status(conditions: &[(&str, &str)]) -> Value {
    let condition = |(part, status): &(&str, &str)| json!({"type": part, "status": status, "reason": format!("{part}{status}"), "message": "as the controller says"});
    json!({"peeringConditions": conditions.iter().map(condition).collect::<Vec<_>>()})
}

pub(crate) fn virtual_node(ready: &str) -> Value {
    json!({
        "metadata": {
            "name": "liqo-milan", "labels": {"liqo.io/remote-cluster-id": MILAN, "liqo.io/type": "virtual-node"},
        },
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}]},
    })
}

/// The identity that milan gave to rome, of which only what is no secret is read.
pub(crate) fn identity_secret() -> (String, Value) {
    let base64 = |text: &str| STANDARD.encode(text);
    let object = json!({
        "metadata": {
            "name": "liqo-identity-6g5mz", "namespace": TENANT,
            "labels": {"discovery.liqo.io/cluster-id": MILAN, "discovery.liqo.io/local-identity": "true"},
        },
        "data": {"namespace": base64("liqo-tenant-rome-03c9e0"), "apiServerUrl": base64("https://172.18.2.1:6443")},
    });
    (format!("/api/v1/namespaces/{TENANT}/secrets/liqo-identity-6g5mz"), object)
}
