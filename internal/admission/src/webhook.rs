//! The webhooks, one file a kind, and what they have in common.

mod affinity;
mod foreign_cluster;
mod limits;
mod namespace_offloading;
mod pod;
mod shadow_pod;

use std::time::Duration;

use liqo_engine::Published;
use liqo_model::NamespaceName;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::{Admission, Refusal};
use crate::patch::at;
use crate::port::{Unavailable, Verdicts};
use crate::review::{Request, Resource};

/// Time that is given to news of what is asked about. Other replicas and users may be ahead of what this process has seen,
/// by milliseconds as a rule; a webhook has ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at the state while one waits, so that many who wait do not keep the writer from its work.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How the webhooks behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Flag `--enable-resource-enforcement`: containers of consumers have to say what they need at most.
    pub resource_enforcement: bool,
}

/// A webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhook {
    /// New pods of offloaded namespaces.
    Pod,
    /// The label of ForeignClusters.
    ForeignClusterLabel,
    /// Changes of ForeignClusters.
    ForeignCluster,
    /// NamespaceOffloadings.
    NamespaceOffloading,
    /// ShadowPods.
    ShadowPod,
}

impl Webhook {
    const ALL: [Self; 5] = [
        Self::Pod,
        Self::ForeignClusterLabel,
        Self::ForeignCluster,
        Self::NamespaceOffloading,
        Self::ShadowPod,
    ];

    /// The webhook at a path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|webhook| webhook.path() == path)
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Pod => "/mutate/pod",
            Self::ForeignClusterLabel => "/mutate/foreign-cluster",
            Self::ForeignCluster => "/validate/foreign-cluster",
            Self::NamespaceOffloading => "/validate/namespace-offloading",
            Self::ShadowPod => "/validate/shadowpods",
        }
    }

    /// Its name in the configurations.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod.mutate.liqo.io",
            Self::ForeignClusterLabel => "fc.mutate.liqo.io",
            Self::ForeignCluster => "fc.validate.liqo.io",
            Self::NamespaceOffloading => "nsoff.validate.liqo.io",
            Self::ShadowPod => "shadowpod.validate.liqo.io",
        }
    }

    /// Group, version and plural of what it is asked about.
    fn resource(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pod => ("", "v1", "pods"),
            Self::ForeignClusterLabel | Self::ForeignCluster => {
                ("discovery.liqo.io", "v1alpha1", "foreignclusters")
            }
            Self::NamespaceOffloading => ("offloading.liqo.io", "v1alpha1", "namespaceoffloadings"),
            Self::ShadowPod => ("virtualkubelet.liqo.io", "v1alpha1", "shadowpods"),
        }
    }

    /// Refuses what this webhook knows nothing of: its configuration is wrong, or this is not the API server.
    fn expects(self, request: &Request) -> Result<(), Refusal> {
        let (group, version, plural) = self.resource();
        let Resource { group: asked_group, version: asked_version, resource } = &request.resource;
        let part = request.sub_resource.as_deref().unwrap_or_default();
        if (asked_group.as_str(), asked_version.as_str(), resource.as_str(), part)
            == (group, version, plural, "")
        {
            return Ok(());
        }
        Err(Refusal::Malformed(format!(
            "webhook {} is about {plural}.{version}.{group} and nothing else: check the configurations liqo-webhook",
            self.name()
        )))
    }
}

/// Gives the verdicts.
#[derive(Debug)]
pub(crate) struct Judge<V> {
    pub(crate) verdicts: V,
    pub(crate) published: watch::Receiver<Published>,
    pub(crate) settings: Settings,
}

impl<V: Verdicts> Judge<V> {
    /// What becomes of the object.
    pub(crate) async fn judge(&self, webhook: Webhook, request: &Request) -> Result<Admission, Refusal> {
        webhook.expects(request)?;
        let is = |operations: &[&str]| operations.contains(&request.operation.as_str());
        // An operation that a webhook has nothing to say about goes through, whatever a configuration sends.
        match webhook {
            Webhook::Pod if is(&["CREATE"]) => self.pod(request).await,
            Webhook::ForeignClusterLabel if is(&["CREATE", "UPDATE"]) => foreign_cluster::label(request),
            Webhook::ForeignCluster if is(&["UPDATE"]) => foreign_cluster::change(request),
            Webhook::NamespaceOffloading if is(&["CREATE", "UPDATE"]) => namespace_offloading::judge(request),
            Webhook::ShadowPod if is(&["CREATE"]) => self.new_shadow_pod(request).await,
            Webhook::ShadowPod if is(&["UPDATE"]) => self.changed_shadow_pod(request),
            _ => Ok(Admission::unchanged()),
        }
    }

    /// Asks until the answer is not open any more or patience ends; gives the last one.
    async fn settled<T, F>(&self, ask: impl Fn() -> F, is_open: impl Fn(&T) -> bool) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Unavailable>>,
    {
        let mut news = self.published.clone();
        let end = Instant::now() + PATIENCE;
        loop {
            news.mark_unchanged();
            let answer = ask().await?;
            let changed = async {
                sleep(LOOK_EVERY).await;
                news.changed().await
            };
            // There is no news any more when the engine has ended.
            if !is_open(&answer) || !matches!(timeout_at(end, changed).await, Ok(Ok(()))) {
                return Ok(answer);
            }
        }
    }
}

/// The namespace of the object.
fn namespace_of(request: &Request) -> Result<NamespaceName, Refusal> {
    let namespace = request.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    namespace.map(NamespaceName::new).ok_or_else(|| Refusal::malformed("namespace", "given"))
}

/// A text of the object, `default` when there is none.
fn text<'a>(object: &'a Value, path: &[&str], default: &'a str) -> Result<&'a str, Refusal> {
    match at(object, path) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::malformed(&crate::patch::dotted(path), "a text")),
    }
}

/// A text of the object as it is: what is there already has to let itself be mended and deleted, whatever it is.
fn old_text<'a>(object: &'a Value, path: &[&str], default: &'a str) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or(default)
}
