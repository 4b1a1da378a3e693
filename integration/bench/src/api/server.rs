//! The API server as an administrator sees it.

use std::path::Path;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::Result;
use crate::world::{Home, targets};

/// What the product may write, as the API server's metrics call it.
const RESOURCES: [&str; 8] = [
    "configmaps",
    "foreignclusters",
    "namespacemaps",
    "namespaceoffloadings",
    "namespaces",
    "nodes",
    "pods",
    "secrets",
];
const WRITES: [&str; 6] = ["APPLY", "DELETE", "DELETECOLLECTION", "PATCH", "POST", "PUT"];

/// What the API server has done since it started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// Writes of what the product may write, by anybody.
    pub(super) writes: f64,
    pub(super) cpu_seconds: f64,
}

/// The administrator's client.
pub(super) struct Server {
    pub(super) client: Client,
}

impl Server {
    pub(super) async fn connect(kubeconfig: &Path) -> Result<Self> {
        let file = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        Ok(Self { client: Client::try_from(config)? })
    }

    /// Its life, and its version now. Whoever asks has seen every kind up to that version, so the server must be able to
    /// tell what came after it: for each kind it remembers what has happened since it was first asked for the kind.
    pub(super) async fn home(&self) -> Result<Home> {
        for kind in targets().into_iter().map(|target| target.kind) {
            let place = match kind.group() {
                "" => "api".to_owned(),
                group => format!("apis/{group}"),
            };
            // Answered from that memory, as soon as there is one.
            let uri = format!("/{place}/{}/{}?limit=1&resourceVersion=0", kind.version(), kind.plural());
            self.client.request_text(http::Request::get(uri).body(Vec::new())?).await?;
        }
        let system = Api::<Namespace>::all(self.client.clone()).get("kube-system").await?;
        let pods = Api::<Pod>::all(self.client.clone()).list(&ListParams::default().limit(1)).await?;
        let version = pods.metadata.resource_version.unwrap_or_default().parse()?;
        Ok(Home { uid: system.metadata.uid.unwrap_or_default(), version: Some(version) })
    }

    /// What it has counted.
    pub(super) async fn counted(&self) -> Result<Counted> {
        let text = self.client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
        let label = |line: &str, name: &str, values: &[&str]| {
            values.iter().any(|value| line.contains(&format!("{name}=\"{value}\"")))
        };
        let requests = text.lines().filter(|line| line.starts_with("apiserver_request_total{"));
        let writes =
            requests.filter(|line| label(line, ",verb", &WRITES) && label(line, ",resource", &RESOURCES));
        let cpu = text.lines().filter(|line| line.starts_with("process_cpu_seconds_total "));
        Ok(Counted { writes: writes.map(value).sum(), cpu_seconds: cpu.map(value).sum() })
    }
}

fn value(line: &str) -> f64 {
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or_default()
}
