//! Real API servers without nodes: what a production cluster has switched on is on, and links can be cut and healed.

#![allow(clippy::unwrap_used, reason = "test code")]

mod fixture;

use fixture::{Cluster, spec, succeeded, testbed, up_once};
use liqo_testbed::{ClusterSpec, Testbed};

/// The clusters of this file: alpha and beta on the switch, gamma behind a router.
async fn clusters(testbed: &Testbed) -> [Cluster; 3] {
    let mut gamma = spec("gamma", 0);
    gamma.behind_nat = true;
    let mut alpha = spec("alpha", 0);
    alpha.audit = true;
    alpha.flags = vec!["kube-apiserver=--v=1".parse().unwrap()];
    up_once(testbed, &[alpha, spec("beta", 0), gamma]).await;
    let of = |name| Cluster::of(testbed, name);
    [of("alpha").await, of("beta").await, of("gamma").await]
}

/// Whether a node reaches an address. A healed link may need a moment, until a neighbour is asked for again.
async fn reaches(testbed: &Testbed, node: &str, address: &str) -> bool {
    ask(testbed, node, address, "15").await
}

/// Whether a node does not reach an address.
async fn is_cut_off(testbed: &Testbed, node: &str, address: &str) -> bool {
    !ask(testbed, node, address, "0").await
}

async fn pings(testbed: &Testbed, node: &str, address: &str) -> bool {
    testbed.exec(node, &["busybox", "ping", "-c", "1", "-W", "1", address]).await.unwrap().success
}

async fn ask(testbed: &Testbed, node: &str, address: &str, retries: &str) -> bool {
    let url = format!("https://{address}:6443/livez");
    let command = [
        "curl",
        "-sk",
        "--max-time",
        "1",
        "--retry",
        retries,
        "--retry-delay",
        "1",
        "--retry-all-errors",
        &url,
    ];
    testbed.exec(node, &command).await.unwrap().success
}

fn addresses(status: &liqo_testbed::Status, name: &str) -> (String, String) {
    let cluster = status.clusters.iter().find(|c| c.name == name).unwrap();
    let server = cluster.server.trim_start_matches("https://").trim_end_matches(":6443").to_owned();
    (cluster.nodes[0].address.to_string(), server)
}

#[tokio::test]
async fn api_links_are_cut_and_heal_and_nat_hides_what_is_behind_it() {
    let Some(testbed) = testbed("api_links_are_cut_and_heal_and_nat_hides_what_is_behind_it") else { return };
    let [_, _, gamma] = clusters(&testbed).await;
    let status = testbed.status().await.unwrap();
    let ((alpha, _), (beta, _)) = (addresses(&status, "alpha"), addresses(&status, "beta"));
    let (inside, outside) = addresses(&status, "gamma");
    let [a, b, c] = ["alpha", "beta", "gamma"].map(|name| format!("{name}-control-plane"));
    assert!(reaches(&testbed, &a, &beta).await && reaches(&testbed, &b, &alpha).await);

    // Behind NAT: out at will, in by forwarded ports only, and with the router's address.
    assert_ne!(inside, outside);
    assert!(reaches(&testbed, &c, &alpha).await && reaches(&testbed, &a, &outside).await);
    assert!(is_cut_off(&testbed, &a, &inside).await);
    let through = testbed.client(&gamma.name).await.unwrap();
    assert_eq!(through.apiserver_version().await.unwrap().minor, "34");

    // Two clusters: only the link between them.
    testbed.cut(&["alpha".into(), "beta".into()]).await.unwrap();
    assert!(is_cut_off(&testbed, &a, &beta).await && is_cut_off(&testbed, &b, &alpha).await);
    assert!(reaches(&testbed, &a, &outside).await && reaches(&testbed, &c, &beta).await);
    testbed.heal(&["beta".into(), "alpha".into()]).await.unwrap();
    assert!(reaches(&testbed, &a, &beta).await && reaches(&testbed, &b, &alpha).await);

    // A whole cluster, behind NAT too: no other cluster, but still the machine.
    testbed.cut(&["gamma".into()]).await.unwrap();
    assert!(is_cut_off(&testbed, &c, &alpha).await && is_cut_off(&testbed, &b, &outside).await);
    assert_eq!(gamma.kubectl("get --raw /readyz"), "ok");
    testbed.heal(&["gamma".into()]).await.unwrap();
    assert!(reaches(&testbed, &c, &alpha).await);

    // A node: nobody, the machine included.
    let machine = testbed.layout().network().machine().to_string();
    assert!(pings(&testbed, &b, &machine).await);
    testbed.cut(std::slice::from_ref(&b)).await.unwrap();
    assert!(is_cut_off(&testbed, &b, &alpha).await && !pings(&testbed, &b, &machine).await);
    assert!(testbed.status().await.unwrap().clusters.iter().any(|c| c.name == "beta" && !c.ready));
    testbed.heal(&[]).await.unwrap();
    assert!(reaches(&testbed, &b, &alpha).await);
    let error = testbed.heal(&["beta".into()]).await.unwrap_err().line();
    assert!(error.contains("beta") && error.contains("not cut"), "{error}");
}

const REQUEST: &str = "
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: NAME}
spec:
  request: REQUEST
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
";

/// CSR signing: a certificate that the API server then knows as this user, without a right.
fn sign_in_as_julia(alpha: &Cluster, server: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (key, request) = (rcgen::KeyPair::generate().unwrap(), directory.path().join("user.csr"));
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "julia");
    std::fs::write(&request, parameters.serialize_request(&key).unwrap().pem().unwrap()).unwrap();
    let encoded = std::process::Command::new("base64").arg("-w0").arg(&request).output().unwrap();
    let encoded = succeeded(encoded, "base64");
    alpha.kubectl("delete csr julia --ignore-not-found");
    alpha.apply(&REQUEST.replace("NAME", "julia").replace("REQUEST", &encoded));
    alpha.kubectl("certificate approve julia");
    alpha.kubectl("wait csr/julia --for=jsonpath={.status.certificate} --timeout=30s");
    let (key_file, certificate) = (directory.path().join("key"), directory.path().join("certificate"));
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let signed = alpha.kubectl("get csr julia -o jsonpath={.status.certificate}");
    let decoded = std::process::Command::new("sh")
        .args(["-ec", "echo \"$0\" | base64 -d > \"$1\"", &signed, &certificate.display().to_string()])
        .output()
        .unwrap();
    succeeded(decoded, "base64");
    let whoami = [
        "auth",
        "whoami",
        "--kubeconfig=/dev/null",
        "--insecure-skip-tls-verify",
        &format!("--server={server}"),
        &format!("--client-key={}", key_file.display()),
        &format!("--client-certificate={}", certificate.display()),
        "--output=jsonpath={.status.userInfo.username}",
    ];
    assert_eq!(succeeded(alpha.try_kubectl(&whoami), "whoami"), "julia");
}

#[tokio::test]
async fn api_nothing_is_switched_off_that_production_has_on() {
    let Some(testbed) = testbed("api_nothing_is_switched_off_that_production_has_on") else { return };
    let [alpha, ..] = clusters(&testbed).await;

    let status = testbed.status().await.unwrap();
    sign_in_as_julia(&alpha, &status.clusters.iter().find(|c| c.name == "alpha").unwrap().server);

    // RBAC and the node authorizer, which lets a node read itself and nothing else.
    let denied = alpha.try_kubectl(&["get", "secrets", "-A", "--as=julia"]);
    assert!(String::from_utf8_lossy(&denied.stderr).contains("Forbidden"), "{denied:?}");
    let may = |what: &str| {
        let words = ["auth", "can-i", "get", what, "--as=system:node:x", "--as-group=system:nodes"];
        alpha.try_kubectl(&words).status.success()
    };
    assert!(may("nodes/x") && !may("secrets"));

    // Admission at its defaults: ServiceAccounts are checked, priorities set, defaults filled in.
    let pod = [
        "run",
        "p",
        "--image=x",
        "--dry-run=server",
        "-o",
        "jsonpath={.spec.priority} {.spec.serviceAccountName}",
    ];
    assert_eq!(succeeded(alpha.try_kubectl(&pod), "dry run"), "0 default");
    let stranger = [
        "run",
        "p",
        "--image=x",
        "--dry-run=server",
        "--overrides={\"spec\":{\"serviceAccountName\":\"stranger\"}}",
    ];
    assert!(!alpha.try_kubectl(&stranger).status.success());

    // Aggregation has its authority and its client certificate.
    let headers = alpha.kubectl("get configmap extension-apiserver-authentication -n kube-system -o yaml");
    assert!(headers.contains("requestheader-client-ca-file"), "{headers}");

    // Audit was asked for here.
    let audit = std::fs::read_to_string(testbed.log("alpha-control-plane", "audit").unwrap()).unwrap();
    assert!(audit.contains("\"impersonatedUser\":{\"username\":\"julia\""));
}

#[tokio::test]
async fn api_a_flag_that_its_component_refuses_is_refused_at_once() {
    let Some(testbed) = testbed("api_a_flag_that_its_component_refuses_is_refused_at_once") else { return };
    for flag in ["kube-apiserver=--no-such-flag=1", "kubelet=--v=many", "etcd=--no-such-flag=1"] {
        let mut delta = spec("delta", 0);
        delta.flags = vec![flag.parse().unwrap()];
        let error = testbed.up(&[delta]).await.unwrap_err().line();
        assert!(error.contains(flag) && error.contains("is refused by"), "{error}");
        assert!(testbed.kubeconfig(&"delta".parse().unwrap()).is_err(), "{flag} made a cluster");
    }
}

#[tokio::test]
async fn api_other_options_for_a_running_cluster_are_refused() {
    let Some(testbed) = testbed("api_other_options_for_a_running_cluster_are_refused") else { return };
    clusters(&testbed).await;
    let other = ClusterSpec { pod_cidr: "10.99.0.0/16".parse().unwrap(), ..spec("beta", 0) };
    let error = testbed.up(&[other]).await.unwrap_err().line();
    assert!(error.contains("\"beta\"") && error.contains("testbed down beta"), "{error}");
}
