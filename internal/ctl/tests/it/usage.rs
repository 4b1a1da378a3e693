//! The command line as a whole: where flags may stand, what is refused.

use clap::Parser;
use liqo_ctl::Arguments;
use serde_json::json;

use crate::fake_cluster::FakeCluster;
use crate::objects::*;

fn accepted(line: &str) -> bool {
    match Arguments::try_parse_from(line.split(' ')) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().contains(TOKEN), "{error}");
            false
        }
    }
}

#[test]
fn flags_stand_where_the_documentation_has_them() {
    let peer =
        format!("peer out-of-band milan --auth-url https://a.b --cluster-id {MILAN} --auth-token {TOKEN}");
    for line in [
        "liqoctl --context=provider generate peer-command",
        "liqoctl generate peer-command --kubeconfig k --only-command",
        &format!("liqoctl --context=consumer {peer}"),
        &format!("liqoctl {peer} --timeout 3m -n other"),
        &peer.replacen("peer", "liqoctl peer --timeout 1m30s", 1),
        &peer.replacen("peer out-of-band", "liqoctl peer oob", 1),
        "liqoctl --context=provider peer consumer",
        "liqoctl peer consumer --namespace liqo",
        "liqoctl --context=provider unpeer consumer",
        "liqoctl unpeer out-of-band milan",
        "liqoctl status peer provider",
        "liqoctl status peers a b -o json",
        "liqoctl --kubeconfig k status --verbose",
        "liqoctl status -n other -o yaml",
        "liqoctl version --client",
        "liqoctl peer consumer --plan",
        "liqoctl unpeer oob milan --plan -n other",
        "liqoctl -s https://a.b:6443 --token t --as jane --as-group a --as-group b --as-uid 1 status",
        "liqoctl status --server https://a.b --certificate-authority ca --tls-server-name api --request-timeout 5s",
        "liqoctl status --client-certificate c --client-key k --insecure-skip-tls-verify --request-timeout 5",
        "liqoctl status --cache-dir /tmp --disable-compression",
        "liqoctl __complete -- unpeer --context a ",
        "liqoctl unoffload namespace liqo-demo",
        "liqoctl --kubeconfig k debug state",
    ] {
        assert!(accepted(line), "{line}");
    }
    for line in [
        "liqoctl peer",
        "liqoctl peer out-of-band milan",
        &format!("liqoctl {peer} --timeout 5"),
        "liqoctl unpeer",
        "liqoctl offload namespace foo --pod-offloading-strategy Never",
        "liqoctl offload namespace foo --selector a=b=c",
        "liqoctl status -o xml",
        "liqoctl status --insecure-skip-tls-verify --certificate-authority ca",
        "liqoctl status --request-timeout soon",
        "liqoctl debug state --socket s --kubeconfig k",
    ] {
        assert!(!accepted(line), "{line}");
    }
}

#[tokio::test]
async fn a_token_is_not_in_what_is_printed_of_arguments() {
    let line = format!("liqoctl peer oob m --auth-url https://a.b --cluster-id {MILAN} --auth-token {TOKEN}");
    let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
    assert!(!format!("{arguments:?}").contains(TOKEN));
}

#[tokio::test]
async fn versions_of_both_sides_are_shown() {
    let manager = json!({
        "metadata": {"name": "liqo-controller-manager", "labels": {"app.kubernetes.io/version": "v0.8.3"}},
        "spec": {"selector": {}, "template": {}},
    });
    let path = "/apis/apps/v1/namespaces/liqo/deployments/liqo-controller-manager";
    let cluster = FakeCluster::start(vec![(path.to_owned(), manager)]).await;
    let client = format!("Client version: v{}\n", env!("CARGO_PKG_VERSION"));
    let ran = cluster.run("version").await;
    assert_eq!(ran.output, format!("{client}Server version: v0.8.3\n"));
    assert!(
        ran.aside.contains("and Liqo v0.8.3 is installed: use the liqoctl of that version"),
        "{}",
        ran.aside
    );
    assert_eq!(cluster.run("version --client").await.output, client);
    let ran = cluster.run("version -n other").await;
    assert_eq!(ran.output, client);
    assert!(ran.error.unwrap().starts_with("Deployment other/liqo-controller-manager does not exist: "));
}

#[tokio::test]
async fn another_version_than_the_installed_one_is_warned_of_beside_the_output() {
    let manager = |version: &str| {
        json!({
            "metadata": {"name": "liqo-controller-manager", "labels": {"app.kubernetes.io/version": version}},
            "spec": {"selector": {}, "template": {}},
        })
    };
    let path = "/apis/apps/v1/namespaces/liqo/deployments/liqo-controller-manager".to_owned();
    let own = env!("CARGO_PKG_VERSION");
    for (installed_version, warned) in [("v99.0.0", true), (own, false), ("dev", false)] {
        let mut objects = peered();
        objects.push((path.clone(), manager(installed_version)));
        let cluster = FakeCluster::start(objects).await;
        for line in ["peer milan --plan", "unpeer milan --plan", "status peer"] {
            let ran = cluster.run(line).await;
            assert_eq!(ran.error, None);
            assert_eq!(
                ran.aside.starts_with("liqoctl: warning: this is liqoctl v"),
                warned,
                "{line}: {}",
                ran.aside
            );
        }
    }
}

#[tokio::test]
async fn without_a_name_or_with_two_it_is_said_what_to_write() {
    let cluster = FakeCluster::start(Vec::new()).await;
    let error = cluster.run("unpeer milan out-of-band milan").await.error.unwrap();
    assert_eq!(error, "write either the name of a ForeignCluster or out-of-band");
}
