//! The summary of figures that kubelets give, from the metrics of the peer: pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use liqo_model::crd::Quantity;
use serde::Deserialize;
use serde_json::{Value, json};

/// A pod of this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) created_at: String,
}

/// Metrics of pods of a namespace (`metrics.k8s.io/v1beta1`).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PodMetricsList {
    pub(super) items: Vec<PodMetrics>,
}

/// Metrics of a pod.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PodMetrics {
    pub(super) metadata: Named,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    containers: Vec<ContainerMetrics>,
}

/// A name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ContainerMetrics {
    name: String,
    #[serde(default)]
    usage: BTreeMap<String, Quantity>,
}

/// What is used at a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    nano_cores: u64,
    bytes: u64,
}

impl Usage {
    fn of(container: &ContainerMetrics) -> Self {
        let amount =
            |resource: &str| container.usage.get(resource).and_then(Quantity::billionths).unwrap_or_default();
        let whole = |amount: i128| u64::try_from(amount).unwrap_or_default();
        Self { nano_cores: whole(amount("cpu")), bytes: whole(amount("memory") / 1_000_000_000) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            nano_cores: self.nano_cores.saturating_add(other.nano_cores),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn cpu(self, time: &str) -> Value {
        json!({"time": time, "usageNanoCores": self.nano_cores})
    }

    fn memory(self, time: &str) -> Value {
        json!({"time": time, "usageBytes": self.bytes, "workingSetBytes": self.bytes})
    }
}

/// The summary of a node with these pods, those of which nothing is known left out.
pub(super) fn summary(
    node: &str,
    started: Timestamp,
    pods: &[(LocalPod, PodMetrics)],
    now: Timestamp,
) -> Value {
    let now = seconds(now);
    let mut all = Usage::default();
    let mut shown = Vec::new();
    for (pod, metrics) in pods {
        let time = metrics.timestamp.as_deref().unwrap_or(&now);
        let mut sum = Usage::default();
        let mut containers = Vec::new();
        for container in &metrics.containers {
            let usage = Usage::of(container);
            sum = sum.plus(usage);
            containers
                .push(json!({"name": container.name, "startTime": pod.created_at, "cpu": usage.cpu(time),
                "memory": usage.memory(time)}));
        }
        all = all.plus(sum);
        shown.push(json!({
            "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "startTime": pod.created_at,
            "containers": containers,
            "cpu": sum.cpu(time),
            "memory": sum.memory(time),
        }));
    }
    json!({
        "node": {"nodeName": node, "startTime": seconds(started), "cpu": all.cpu(&now), "memory": all.memory(&now)},
        "pods": shown,
    })
}

fn seconds(at: Timestamp) -> String {
    // A whole second always is a moment.
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed() {
        let metrics: PodMetricsList = serde_json::from_value(json!({
            "kind": "PodMetricsList",
            "items": [{
                "metadata": {"name": "web-0", "namespace": "shop-rome"},
                "timestamp": "2026-01-02T03:04:00Z",
                "window": "15s",
                "containers": [
                    {"name": "nginx", "usage": {"cpu": "1500u", "memory": "2Ki"}},
                    {"name": "sidecar", "usage": {"cpu": "250n", "memory": "100"}},
                    {"name": "odd", "usage": {"cpu": "-1", "memory": "much"}},
                ],
            }],
        }))
        .unwrap();
        let pod = LocalPod {
            namespace: "shop".to_owned(),
            name: "web-0".to_owned(),
            uid: "u".to_owned(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let shown = summary(
            "liqo-milan",
            at("2026-01-01T00:00:00.5Z"),
            &[(pod, metrics.items[0].clone())],
            at("2026-01-02T03:04:05.25Z"),
        );
        let figures = |time: &str, cpu: u64, memory: u64| {
            (
                json!({"time": time, "usageNanoCores": cpu}),
                json!({"time": time, "usageBytes": memory, "workingSetBytes": memory}),
            )
        };
        let container = |name: &str, cpu: u64, memory: u64| {
            let (cpu, memory) = figures("2026-01-02T03:04:00Z", cpu, memory);
            json!({"name": name, "startTime": "2026-01-01T00:00:00Z", "cpu": cpu, "memory": memory})
        };
        let (node_cpu, node_memory) = figures("2026-01-02T03:04:05Z", 1_500_250, 2148);
        let (cpu, memory) = figures("2026-01-02T03:04:00Z", 1_500_250, 2148);
        let expected = json!({
            "node": {"nodeName": "liqo-milan", "startTime": "2026-01-01T00:00:00Z", "cpu": node_cpu,
                "memory": node_memory},
            "pods": [{
                "podRef": {"name": "web-0", "namespace": "shop", "uid": "u"},
                "startTime": "2026-01-01T00:00:00Z",
                "containers": [container("nginx", 1_500_000, 2048), container("sidecar", 250, 100),
                    container("odd", 0, 0)],
                "cpu": cpu,
                "memory": memory,
            }],
        });
        assert_eq!(shown, expected);
    }
}
