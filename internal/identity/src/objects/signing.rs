//! What Kubernetes is given so that it signs, and what the consumer may do with the certificate.

use std::time::Duration;

use liqo_api::labels::{REMOTE_TENANT_CSR, TRUE};
use liqo_api::names::{IDENTITY_SECRET_PREFIX, TENANT_BINDING_PREFIX};
use liqo_events::{UnixMillis, rfc3339_seconds};
use liqo_model::Uid;
use serde_json::{Value, json};

use crate::Tenant;
use crate::wire::to_base64;

const SIGNER: &str = "kubernetes.io/kube-apiserver-client";
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// The CertificateSigningRequest for a request, PEM, that an [`crate::AuthService`] has checked. Without a life the signer
/// says how long it lasts.
pub fn signing_request(csr: &str, life: Option<Duration>) -> Value {
    let mut request = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": IDENTITY_SECRET_PREFIX, "labels": {REMOTE_TENANT_CSR: TRUE}},
        "spec": {
            "request": to_base64(csr.as_bytes()),
            "signerName": SIGNER,
            "usages": ["digital signature", "key encipherment", "client auth"],
        },
    });
    if let Some(life) = life {
        request["spec"]["expirationSeconds"] = json!(life.as_secs());
    }
    request
}

/// The condition by which it is approved, for its subresource `approval`.
pub fn approval(now: UnixMillis) -> Value {
    let at = rfc3339_seconds(now);
    json!({
        "type": "Approved",
        "status": "True",
        "reason": "IdentityManagerApproval",
        "message": "This CSR was approved by Liqo Identity Manager",
        "lastUpdateTime": at,
        "lastTransitionTime": at,
    })
}

/// The RoleBinding that gives a tenant what every peer with an identity may do. It is removed with the ClusterRole, which
/// has the label [`liqo_api::labels::PEERING_PERMISSIONS`] with the value `basic`.
pub fn basic_binding(tenant: &Tenant, cluster_role: &str, cluster_role_uid: &Uid) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": format!("{TENANT_BINDING_PREFIX}{cluster_role}"),
            "namespace": tenant.namespace.as_str(),
            "ownerReferences": [{
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "name": cluster_role,
                "uid": cluster_role_uid.as_str(),
            }],
        },
        "subjects": [{"kind": "User", "apiGroup": RBAC_GROUP, "name": tenant.cluster.id.as_str()}],
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": cluster_role},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cluster;

    /// What Liqo 0.8.3 left behind after a request.
    const RECORDED: &str = include_str!("../../fixtures/provider-objects.json");

    fn recorded(object: &str) -> Value {
        serde_json::from_str::<Value>(RECORDED).unwrap()[object].clone()
    }

    #[test]
    fn requests_and_approvals_are_those_that_were_recorded() {
        assert_eq!(signing_request("request", None), recorded("signingRequest"));
        let short = signing_request("request", Some(Duration::from_secs(3600)));
        assert_eq!(short["spec"]["expirationSeconds"], 3600);
        let at = liqo_events::parse_rfc3339("2026-11-22T14:58:18Z").unwrap();
        assert_eq!(approval(at), recorded("approval"));
    }

    #[test]
    fn the_binding_is_the_one_that_was_recorded() {
        let cluster = Cluster { id: "11111111-2222-4333-8444-555555555555".into(), name: "fiction".into() };
        let tenant = Tenant { cluster, namespace: "liqo-tenant-fiction-cf4c47".into() };
        let uid = Uid::from("ef10e0e5-cfe7-43e6-94b8-5a2ebe3b8e75");
        assert_eq!(basic_binding(&tenant, "liqo-remote-peering-basic", &uid), recorded("binding"));
    }
}
