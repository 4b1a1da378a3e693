//! Processes of Liqo that end without a warning.

use std::collections::BTreeSet;

use liqo_testbed::Testbed;
use serde_json::Value;

use super::secrecy::Logs;
use super::user::{User, text, until};

/// A process of Liqo: the namespace and the name that its pod is labelled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'static str,
}

impl Process<'_> {
    fn pods(&self, user: &User) -> Vec<Value> {
        user.list(&format!("pods -n {} -l app.kubernetes.io/name={}", self.namespace, self.name))
    }

    /// The signal that cannot be caught ends its process; its container starts again.
    pub(crate) async fn kill(&self, testbed: &Testbed, user: &User) {
        let pod = self.pods(user).remove(0);
        let (name, before) = (text(&pod, "/metadata/name"), restarts(&pod));
        let container =
            text(&pod, "/status/containerStatuses/0/containerID").trim_start_matches("containerd://");
        let command = format!(
            "for one in /proc/[0-9]*; do if grep -q {container} $one/cgroup 2>/dev/null; then kill -9 ${{one#/proc/}}; fi; done"
        );
        let killed =
            testbed.exec(&format!("{}-control-plane", user.name), &["sh", "-c", &command]).await.unwrap();
        assert!(killed.success, "{killed:?}");
        let is_back = || {
            let pod = user.get(&format!("pod {name} -n {}", self.namespace));
            let is_back = restarts(&pod) == before + 1 && is_ready(&pod);
            if is_back { Ok(()) } else { Err(pod["status"].clone()) }
        };
        until(&format!("restarted {self:?}"), is_back);
    }

    /// Its pod is gone from one moment to the next; another takes its place.
    pub(crate) fn delete(&self, user: &User, logs: &mut Logs) {
        logs.take(user);
        let before: BTreeSet<String> = self.pods(user).iter().map(uid).collect();
        let selector = format!("app.kubernetes.io/name={}", self.name);
        user.kubectl(&format!("delete pods -n {} -l {selector} --grace-period=0 --force", self.namespace));
        let is_back = || {
            let pods = self.pods(user);
            let is_back =
                pods.len() == 1 && pods.iter().all(|pod| !before.contains(&uid(pod)) && is_ready(pod));
            if is_back { Ok(()) } else { Err(pods) }
        };
        until(&format!("new {self:?}"), is_back);
    }
}

fn uid(pod: &Value) -> String {
    text(pod, "/metadata/uid").to_owned()
}

fn restarts(pod: &Value) -> i64 {
    pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_i64).unwrap_or_default()
}

fn is_ready(pod: &Value) -> bool {
    pod.pointer("/status/containerStatuses/0/ready") == Some(&Value::Bool(true))
}
