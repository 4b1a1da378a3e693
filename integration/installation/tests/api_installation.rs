//! A real API server takes the manifests, and lets everybody do what they need and no more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use liqo_installation::{Administrator, apply, programs};
use liqo_testbed::{ClusterSpec, Testbed};
use serde_json::{Value, json};

const MANAGER: &str = "system:serviceaccount:liqo:liqo-controller-manager";
const KUBELET: &str = "system:serviceaccount:liqo-tenant-milan:virtual-kubelet";
const GATEWAY: &str = "system:serviceaccount:liqo:liqo-gateway";
const PEER: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";

/// What the controller manager makes of a peer from which it takes resources, and which takes resources of it.
const PEERING: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: liqo-tenant-milan}
---
apiVersion: v1
kind: Namespace
metadata: {name: demo-milan}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: liqo-binding-liqo-remote-peering-basic, namespace: liqo-tenant-milan}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: liqo-remote-peering-basic}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: PEER}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: liqo-tenant-milan, namespace: demo-milan}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: liqo-virtual-kubelet-remote}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: PEER}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: liqo-virtual-kubelet-milan}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: liqo-virtual-kubelet-local}
subjects: [{kind: ServiceAccount, name: virtual-kubelet, namespace: liqo-tenant-milan}]
";

/// Who, the verb, group/resource/subresource, namespace/name with either left out, and whether it is allowed.
const QUESTIONS: &[(&str, &str, &str, &str, bool)] = &[
    (MANAGER, "create", "certificates.k8s.io/certificatesigningrequests", "/", true),
    (MANAGER, "update", "certificates.k8s.io/certificatesigningrequests/approval", "/", true),
    (MANAGER, "approve", "certificates.k8s.io/signers", "/kubernetes.io/kube-apiserver-client", true),
    (
        MANAGER,
        "approve",
        "certificates.k8s.io/signers",
        "/kubernetes.io/kube-apiserver-client-kubelet",
        false,
    ),
    (MANAGER, "create", "/pods", "demo-milan/", true),
    (MANAGER, "create", "/pods/exec", "demo-milan/", false),
    (MANAGER, "patch", "/nodes", "/", true),
    (MANAGER, "delete", "/nodes", "/", false),
    (MANAGER, "patch", "admissionregistration.k8s.io/validatingwebhookconfigurations", "/liqo-webhook", true),
    (MANAGER, "patch", "admissionregistration.k8s.io/validatingwebhookconfigurations", "/other", false),
    (MANAGER, "patch", "/services", "liqo/liqo-gateway", true),
    (MANAGER, "patch", "/services", "liqo/liqo-auth", false),
    (MANAGER, "patch", "/services", "default/liqo-gateway", false),
    (MANAGER, "get", "/configmaps", "kube-system/", false),
    (MANAGER, "create", "rbac.authorization.k8s.io/clusterroles", "/", false),
    (MANAGER, "bind", "rbac.authorization.k8s.io/clusterroles", "/liqo-virtual-kubelet-local", true),
    (MANAGER, "bind", "rbac.authorization.k8s.io/clusterroles", "/cluster-admin", false),
    (MANAGER, "impersonate", "/users", "/", false),
    (KUBELET, "patch", "/pods/status", "default/", true),
    (KUBELET, "create", "/pods", "default/", false),
    (KUBELET, "create", "/pods/eviction", "default/", true),
    (KUBELET, "patch", "coordination.k8s.io/leases", "kube-node-lease/liqo-milan", true),
    (KUBELET, "create", "rbac.authorization.k8s.io/rolebindings", "liqo-tenant-milan/", false),
    (KUBELET, "delete", "/secrets", "default/", false),
    (PEER, "create", "discovery.liqo.io/resourcerequests", "liqo-tenant-milan/", true),
    (PEER, "create", "discovery.liqo.io/resourcerequests", "liqo/", false),
    (PEER, "get", "/secrets", "liqo-tenant-milan/", false),
    (PEER, "create", "virtualkubelet.liqo.io/shadowpods", "demo-milan/", true),
    (PEER, "create", "virtualkubelet.liqo.io/shadowpods", "default/", false),
    (PEER, "create", "/pods", "demo-milan/", false),
    (PEER, "list", "/nodes", "/", false),
    (GATEWAY, "get", "/secrets", "liqo/wireguard-pubkey", false),
    (GATEWAY, "list", "/pods", "liqo/", false),
];

async fn installed() -> Option<Administrator> {
    if let Err(error) = Testbed::privileges() {
        eprintln!("SKIPPED: api_installation: {}", error.line());
        return None;
    }
    let testbed = Testbed::open().unwrap();
    let mut spec = ClusterSpec::new("installed".parse().unwrap());
    spec.nodes = 0;
    spec.load_balancer = false;
    testbed.up(std::slice::from_ref(&spec)).await.unwrap();
    let administrator = Administrator::of(&testbed, &spec.name, &programs()).await.unwrap();
    apply(&administrator).unwrap();
    Some(administrator)
}

/// One test, since both parts need the same cluster and neither disturbs the other.
#[tokio::test]
async fn api_manifests_are_taken_twice_and_give_the_rights_that_are_needed() {
    let Some(administrator) = installed().await else { return };
    applying_again_changes_nothing(&administrator);
    the_managers_authority_in_a_webhook_stays(&administrator);
    rights_are_as_they_should_be(&administrator);
}

fn versions(administrator: &Administrator) -> String {
    let kinds =
        "deployments,daemonsets,services,serviceaccounts,clusterroles,mutatingwebhookconfigurations,crds";
    let path =
        "-o=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}";
    // The API server itself keeps the default roles and the addresses of its own Services.
    let selector = "--selector=app.kubernetes.io/part-of=liqo";
    administrator.kubectl(&["get", kinds, "--all-namespaces", selector, path]).unwrap()
}

fn applying_again_changes_nothing(administrator: &Administrator) {
    let before = versions(administrator);
    assert!(before.contains("Deployment/liqo-gateway"), "{before}");
    apply(administrator).unwrap();
    assert_eq!(versions(administrator), before);
}

fn the_managers_authority_in_a_webhook_stays(administrator: &Administrator) {
    // Any certificate will do.
    let path = "jsonpath={.clusters[0].cluster.certificate-authority-data}";
    let authority = administrator.kubectl(&["config", "view", "--raw", "-o", path]).unwrap();
    let patch =
        json!([{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": authority}]).to_string();
    let webhook = "mutatingwebhookconfiguration/liqo-webhook";
    administrator.kubectl(&["patch", webhook, "--as", MANAGER, "--type=json", "--patch", &patch]).unwrap();
    apply(administrator).unwrap();
    let bundle = administrator
        .kubectl(&["get", webhook, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}"])
        .unwrap();
    assert_eq!(bundle, authority);
}

fn rights_are_as_they_should_be(administrator: &Administrator) {
    administrator.apply(&PEERING.replace("PEER", PEER)).unwrap();
    let reviews: Vec<_> = QUESTIONS.iter().map(review).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": reviews}).to_string();
    let answers = administrator.create(&list).unwrap();
    let answers = serde_json::Deserializer::from_str(&answers).into_iter::<Value>();
    let answers: Vec<Value> = answers.collect::<Result<_, _>>().unwrap();
    assert_eq!(answers.len(), QUESTIONS.len());
    let wrong: Vec<_> = QUESTIONS
        .iter()
        .zip(answers)
        .filter(|((.., expected), answer)| answer["status"]["allowed"] != *expected)
        .map(|(question, _)| question)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A question as the API server takes it.
fn review((who, verb, what, place, _): &(&str, &str, &str, &str, bool)) -> Value {
    let mut what = what.splitn(3, '/');
    let (namespace, name) = place.split_once('/').unwrap();
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": who,
            "resourceAttributes": {
                "verb": verb,
                "group": what.next(),
                "resource": what.next(),
                "subresource": what.next().unwrap_or_default(),
                "namespace": namespace,
                "name": name,
            },
        },
    })
}
