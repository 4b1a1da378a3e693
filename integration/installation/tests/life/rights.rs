//! What the consumer may do in the provider with the certificate that it was given: what it needs, and nothing else.

use std::fs;

use liqo_installation::Administrator;
use serde_json::json;
use tempfile::TempDir;

use super::user::{User, text};

/// The consumer as the provider's API server knows it.
pub(crate) struct Peer {
    administrator: Administrator,
    tenant: String,
    /// Holds the kubeconfig.
    _directory: TempDir,
}

/// With an identity alone.
const ALWAYS: [&str; 2] = ["get resourcerequests -n TENANT", "auth can-i create resourcerequests -n TENANT"];
/// While it takes resources and has a namespace there.
const WHILE_PEERED: [&str; 7] = [
    "get networkconfigs -n TENANT",
    "get namespacemaps -n TENANT",
    "get shadowpods -n EXTENDED",
    "get pods -n EXTENDED",
    "get configmaps -n EXTENDED",
    "auth can-i create shadowpods -n EXTENDED",
    "auth can-i get pods/log -n EXTENDED",
];
/// Never.
const NEVER: [&str; 19] = [
    "get secrets -A",
    "get secrets -n TENANT",
    "get secrets -n liqo",
    "get configmaps -n TENANT",
    "get nodes",
    "get namespaces",
    "get pods -A",
    "get pods -n liqo",
    "get foreignclusters",
    "get resourceoffers -n TENANT",
    "get resourcerequests -A",
    "create namespace kube-public-2",
    "create serviceaccount mine -n EXTENDED",
    "create token default -n EXTENDED",
    "run mine --image=testbed.local/toolbox:1 -n EXTENDED",
    "create rolebinding mine --clusterrole=cluster-admin --user=mine -n TENANT",
    "create clusterrolebinding mine --clusterrole=cluster-admin --user=mine",
    "delete resourcequotas --all -n EXTENDED",
    "get pods -n EXTENDED --as=system:admin",
];

impl Peer {
    /// Made of the Secret in which the consumer keeps its identity.
    pub(crate) fn of(consumer: &User, tenant: &str, remote_tenant: &str) -> Self {
        let selector = "discovery.liqo.io/local-identity=true";
        let secret = consumer.list(&format!("secrets -n {tenant} -l {selector}")).remove(0);
        let part = |name: &str| text(&secret, &format!("/data/{name}")).to_owned();
        let decoded = |name: &str| {
            let words = format!(
                "get secrets -n {tenant} -l {selector} -o go-template={{{{range.items}}}}{{{{.data.{name}|base64decode}}}}{{{{end}}}}"
            );
            consumer.kubectl(&words)
        };
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "peer",
            "clusters": [{"name": "peer", "cluster": {
                "server": decoded("apiServerUrl"), "certificate-authority-data": part("apiServerCa"),
            }}],
            "users": [{"name": "peer", "user": {
                "client-certificate-data": part("certificate"), "client-key-data": part("private-key"),
            }}],
            "contexts": [{"name": "peer", "context": {"cluster": "peer", "user": "peer"}}],
        });
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("kubeconfig");
        fs::write(&file, kubeconfig.to_string()).unwrap();
        let administrator = consumer.administrator().with_kubeconfig(&file);
        Self { administrator, tenant: remote_tenant.to_owned(), _directory: directory }
    }

    /// What it may do while pods of its run in this namespace.
    pub(crate) fn may_do_what_a_peering_needs(&self, extended: &str) {
        self.may(ALWAYS.iter().chain(&WHILE_PEERED), extended);
        self.may_not(NEVER.iter(), extended);
    }

    /// What is left when the peering has ended.
    pub(crate) fn may_ask_again_and_no_more(&self, extended: &str) {
        self.may(ALWAYS.iter(), extended);
        self.may_not(NEVER.iter().chain(&WHILE_PEERED), extended);
    }

    fn may<'a>(&self, words: impl Iterator<Item = &'a &'a str>, extended: &str) {
        let refused: Vec<String> = words.filter_map(|words| self.tried(words, extended).err()).collect();
        assert!(refused.is_empty(), "{refused:#?}");
    }

    fn may_not<'a>(&self, words: impl Iterator<Item = &'a &'a str>, extended: &str) {
        for words in words {
            let tried = self.tried(words, extended);
            let Err(said) = tried else { panic!("{words}: {tried:?}") };
            // `auth can-i` says no, and everything else what the API server says.
            assert!(said.contains("(Forbidden)") || said.contains("no"), "{said}");
        }
    }

    fn tried(&self, words: &str, extended: &str) -> Result<String, String> {
        let words = words.replace("TENANT", &self.tenant).replace("EXTENDED", extended);
        let words: Vec<&str> = words.split(' ').collect();
        self.administrator.kubectl(&words).map_err(|error| error.to_string())
    }
}
