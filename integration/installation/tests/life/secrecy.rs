//! What the programs of Liqo print and keep, and that no user's secret is in it.

use std::fmt::Write as _;

use liqo_testbed::Testbed;

use super::user::{LIQO, User, text};

/// A value that is in a Secret of an offloaded namespace and nowhere else; and as Secrets have it on their way.
pub(crate) const CANARY: &str = "canary-5d0c7f31e8";
const ENCODED: &str = "Y2FuYXJ5LTVkMGM3ZjMxZTg=";

/// The label of everything that is installed.
const OURS: &str = "app.kubernetes.io/part-of=liqo";

/// What processes printed. Of those that are about to be ended it is taken before.
#[derive(Default)]
pub(crate) struct Logs(String);

impl Logs {
    /// Adds what all pods of Liqo have printed until now, containers that ended included.
    pub(crate) fn take(&mut self, user: &User) {
        for pod in user.list(&format!("pods --all-namespaces -l {OURS}")) {
            let (namespace, name) = (text(&pod, "/metadata/namespace"), text(&pod, "/metadata/name"));
            let begin = format!("logs {name} -n {namespace}");
            let restarts = pod.pointer("/status/containerStatuses/0/restartCount");
            let _ = writeln!(self.0, "== {} {name}", user.name);
            // A pod that has gone since it was listed has nothing to say.
            self.0 += &user.try_kubectl(&begin.split(' ').collect::<Vec<_>>()).unwrap_or_default();
            if restarts.is_some_and(|count| *count != 0) {
                self.0 += &user.kubectl(&format!("{begin} --previous"));
            }
        }
    }

    /// Lines of level ERROR.
    pub(crate) fn errors(&self) -> Vec<&str> {
        let is_error =
            |line: &&str| line.split_whitespace().nth(1) == Some("ERROR") || line.contains("panicked at");
        self.0.lines().filter(is_error).collect()
    }
}

/// Looks for the secret value wherever it must not be.
pub(crate) fn is_kept(user: &User, logs: &Logs, exports: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let mut places = vec![("the logs".to_owned(), logs.0.clone().into_bytes())];
    for (place, process) in exports.iter().enumerate() {
        let file = directory.path().join(place.to_string());
        user.liqoctl(&format!("debug {process} export {}", file.display()));
        places.push((format!("the export of {process}"), std::fs::read(&file).unwrap()));
    }
    user.liqoctl("status -o json");
    user.liqoctl("status peer -o json");
    user.liqoctl("debug tail");
    places.push(("what liqoctl said".to_owned(), user.said().into_bytes()));
    for (place, bytes) in places {
        assert!(!bytes.is_empty(), "{place} is empty");
        for secret in [CANARY, ENCODED] {
            let is_there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!is_there, "{place} of {} has a secret value in it", user.name);
        }
    }
}

/// Looks for it in the files that processes keep on a node.
pub(crate) async fn is_on_no_disk(testbed: &Testbed, node: &str) {
    let pods = "/var/lib/kubelet/pods";
    let search = format!(
        "ls -d {pods}/*/volumes/kubernetes.io~empty-dir >/dev/null && \
         grep -rlF -e {CANARY} -e {ENCODED} {pods}/*/volumes/kubernetes.io~empty-dir /var/lib/liqo; test $? -eq 1"
    );
    let found = testbed.exec(node, &["sh", "-c", &search]).await.unwrap();
    assert!(found.success, "{node}: {found:?}");
}

/// The processes of a consumer that can be looked into; `tenant` is its namespace for the provider.
pub(crate) fn of_consumer(tenant: &str) -> [String; 2] {
    [format!("-n {LIQO}"), format!("-n {tenant} --component virtual-kubelet")]
}
