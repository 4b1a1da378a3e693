//! Clients of API servers, and waiting for what they say.

use std::path::Path;
use std::time::{Duration, SystemTime};

use k8s_openapi::api::core::v1::{Node, NodeCondition, ServiceAccount};
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::error::{Error, Result};

/// A cold machine starts several API servers at once; each takes seconds of processor time.
const API_LIMIT: Duration = Duration::from_secs(180);
/// From the start of the kubelet to Ready.
const NODES_LIMIT: Duration = Duration::from_secs(180);
/// How often is asked.
const POLL: Duration = Duration::from_millis(150);

/// A client with the credentials of a kubeconfig file.
///
/// # Errors
/// [`Error::File`] when the file cannot be used.
pub(crate) async fn client(cluster: &str, kubeconfig: &Path) -> Result<Client> {
    let understand = |e: kube::config::KubeconfigError| {
        Error::file("use the kubeconfig", kubeconfig)(std::io::Error::other(e))
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(understand)?;
    let mut config =
        Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(understand)?;
    config.connect_timeout = Some(Duration::from_secs(5));
    Client::try_from(config).map_err(Error::api(cluster, "make a client"))
}

/// Waits until the API server says that it is ready.
///
/// # Errors
/// [`Error::Timeout`].
pub(crate) async fn wait_for_api(cluster: &str, client: &Client) -> Result<()> {
    let ready = async {
        while !is_ready(client).await {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(API_LIMIT, ready).await.map_err(|_| Error::Timeout {
        what: format!("the API server of {cluster} being ready"),
        limit: API_LIMIT,
        hint: format!("see `testbed logs {cluster}-control-plane kube-apiserver`"),
    })
}

/// Whether the API server says that it is ready.
pub(crate) async fn is_ready(client: &Client) -> bool {
    let Ok(request) = http_get("/readyz") else { return false };
    let answer = tokio::time::timeout(Duration::from_secs(2), client.request_text(request)).await;
    matches!(answer, Ok(Ok(text)) if text == "ok")
}

fn http_get(path: &str) -> Result<http::Request<Vec<u8>>> {
    http::Request::get(path)
        .body(Vec::new())
        .map_err(|e| Error::file("ask for", path)(std::io::Error::other(e)))
}

/// Waits until pods can be created: admission refuses them until their namespace has its ServiceAccount.
///
/// # Errors
/// [`Error::Timeout`].
pub(crate) async fn wait_for_accounts(cluster: &str, client: &Client) -> Result<()> {
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
    let there = async {
        while accounts.get("default").await.is_err() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(API_LIMIT, there).await.map_err(|_| Error::Timeout {
        what: format!("the ServiceAccount default of {cluster} being there"),
        limit: API_LIMIT,
        hint: format!("see `testbed logs {cluster}-control-plane kube-controller-manager`"),
    })
}

/// Waits until the named nodes are Ready, as their kubelets said after `since`: what a node said before it lost its power
/// stays in the API server for almost a minute.
///
/// # Errors
/// [`Error::Timeout`], which names those that are not.
pub(crate) async fn wait_for_nodes(
    cluster: &str,
    client: &Client,
    names: &[String],
    since: SystemTime,
) -> Result<()> {
    let mut missing = names.to_vec();
    let ready = async {
        loop {
            missing = not_ready(client, names, since).await;
            if missing.is_empty() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let waited = tokio::time::timeout(NODES_LIMIT, ready).await;
    waited.map_err(|_| Error::Timeout {
        what: format!("{} of {cluster} being Ready", missing.join(", ")),
        limit: NODES_LIMIT,
        hint: format!("see `testbed logs {} kubelet`", missing.first().map_or("NODE", String::as_str)),
    })
}

/// Those of the named nodes that are not Ready, or last said so before `since`.
pub(crate) async fn not_ready(client: &Client, names: &[String], since: SystemTime) -> Vec<String> {
    let Ok(nodes) = Api::<Node>::all(client.clone()).list(&ListParams::default()).await else {
        return names.to_vec();
    };
    let ready = |name: &String| {
        nodes.iter().filter(|node| node.metadata.name.as_ref() == Some(name)).any(|node| {
            let conditions = node.status.as_ref().and_then(|s| s.conditions.as_ref());
            conditions.is_some_and(|all| {
                all.iter().any(|c| c.type_ == "Ready" && c.status == "True" && said(c, since))
            })
        })
    };
    names.iter().filter(|name| !ready(name)).cloned().collect()
}

/// Whether the kubelet reported a condition after a time. Reports carry whole seconds.
fn said(condition: &NodeCondition, since: SystemTime) -> bool {
    let reported = condition.last_heartbeat_time.as_ref().map(|time| SystemTime::from(time.0));
    reported.is_some_and(|reported| reported + Duration::from_secs(1) > since)
}
