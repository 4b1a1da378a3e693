//! Approval of a serving certificate for a virtual kubelet, and of nothing else: whoever planned it, this is looked at
//! once more.

use liqo_events::{UnixMillis, rfc3339_seconds};
use liqo_model::ObjectKey;
use serde_json::{Value, json};

use super::step::Step;

const SIGNER: &str = "kubernetes.io/kubelet-serving";
/// Service accounts in tenant namespaces.
const REQUESTERS: &str = "system:serviceaccount:liqo-tenant-";

pub(super) fn step(key: &ObjectKey, now: UnixMillis, object: &Value) -> Step {
    let spec = |name: &str| object["spec"][name].as_str().unwrap_or_default();
    if spec("signerName") != SIGNER || !spec("username").starts_with(REQUESTERS) {
        return Step::Superseded(format!(
            "{key} is no request of a virtual kubelet for a serving certificate"
        ));
    }
    let mut conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let is = |kind: &str| conditions.iter().any(|condition| condition["type"] == kind);
    if is("Denied") {
        return Step::Superseded(format!("{key} was denied"));
    }
    if is("Approved") {
        return Step::Nothing;
    }
    let at = rfc3339_seconds(now);
    conditions.push(json!({
        "type": "Approved",
        "status": "True",
        "reason": "LiqoApproval",
        "message": "This CSR was approved by Liqo",
        "lastUpdateTime": at,
        "lastTransitionTime": at,
    }));
    Step::Approve(json!({"status": {"conditions": conditions}}))
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;

    use super::*;

    fn request(signer: &str, username: &str, conditions: Value) -> Step {
        let key = ObjectKey::local_cluster_scoped(Kind::CertificateSigningRequest, "csr-1");
        let spec = json!({"signerName": signer, "username": username});
        step(&key, UnixMillis(0), &json!({"spec": spec, "status": {"conditions": conditions}}))
    }

    const VIRTUAL_KUBELET: &str = "system:serviceaccount:liqo-tenant-milan:virtual-kubelet";

    #[test]
    fn a_serving_certificate_of_a_virtual_kubelet_is_approved() {
        let Step::Approve(patch) = request(SIGNER, VIRTUAL_KUBELET, Value::Null) else {
            panic!("not approved")
        };
        let condition = &patch["status"]["conditions"][0];
        assert_eq!((&condition["type"], &condition["reason"]), (&json!("Approved"), &json!("LiqoApproval")));
        assert_eq!(request(SIGNER, VIRTUAL_KUBELET, json!([{"type": "Approved"}])), Step::Nothing);
    }

    #[test]
    fn nothing_else_is() {
        for (signer, username, conditions) in [
            ("kubernetes.io/kube-apiserver-client", VIRTUAL_KUBELET, Value::Null),
            (SIGNER, "system:node:n", Value::Null),
            (SIGNER, "system:serviceaccount:shop:virtual-kubelet", Value::Null),
            (SIGNER, VIRTUAL_KUBELET, json!([{"type": "Denied"}])),
        ] {
            let step = request(signer, username, conditions);
            assert!(matches!(step, Step::Superseded(_)), "{signer} {username}: {step:?}");
        }
    }
}
