//! What is counted. Labels have few values: kinds and verbs are closed lists, clusters are peers, codes are a closed list.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use liqo_model::{ClusterRef, Kind};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::Refusal;
use crate::client::Verb;
use crate::series::Series;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct OfKind {
    cluster: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct OfKindBecause {
    cluster: String,
    kind: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct OfRequest {
    cluster: String,
    verb: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEffect {
    effect: &'static str,
}

type Seconds = Counter<f64, AtomicU64>;

/// What is counted; one for a process.
#[derive(Debug, Default)]
pub struct Metrics {
    watch_events: Series<OfKindBecause, Counter>,
    relists: Series<OfKindBecause, Counter>,
    drift: Series<OfKind, Counter>,
    malformed: Series<OfKind, Counter>,
    reconnects: Series<OfKindBecause, Counter>,
    back_off: Series<OfKind, Seconds>,
    synced: Series<OfKind, Gauge>,
    requests: Series<OfRequest, Counter>,
    writes_avoided: Family<OfEffect, Counter>,
    cache_bytes: Gauge,
}

impl Metrics {
    /// Metrics in a registry.
    pub fn registered(registry: &mut Registry) -> Arc<Self> {
        let metrics = Self::default();
        metrics.register(registry);
        Arc::new(metrics)
    }

    /// Puts everything into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("liqo_kube");
        registry.register("watch_events", "Events that watches sent, by type", self.watch_events.family());
        registry.register(
            "relists",
            "Complete lists taken, by what made them necessary",
            self.relists.family(),
        );
        registry.register("drift", "Changes that a watch lost and a list showed", self.drift.family());
        registry.register(
            "malformed",
            "Objects that were seen and could not be read or understood",
            self.malformed.family(),
        );
        registry.register("reconnects", "Watches that ended, by how", self.reconnects.family());
        registry.register(
            "back_off_seconds",
            "Seconds that watches waited after failures",
            self.back_off.family(),
        );
        registry.register(
            "watch_synced",
            "1 while a watch knows everything of its kind",
            self.synced.family(),
        );
        registry.register("requests", "Requests, by verb and HTTP code", self.requests.family());
        registry.register(
            "writes_avoided",
            "Writes that would have changed nothing",
            self.writes_avoided.clone(),
        );
        registry.register(
            "cache_bytes",
            "Bytes of bodies that are kept for writes",
            self.cache_bytes.clone(),
        );
    }

    pub(crate) fn watched(&self, cluster: &ClusterRef, kind: Kind, what: &'static str) {
        self.watch_events.of(cluster, &because(cluster, kind, what)).inc();
    }

    pub(crate) fn relisted(&self, cluster: &ClusterRef, kind: Kind, reason: &'static str) {
        self.relists.of(cluster, &because(cluster, kind, reason)).inc();
    }

    pub(crate) fn drifted(&self, cluster: &ClusterRef, kind: Kind, changes: u64) {
        self.drift.of(cluster, &of(cluster, kind)).inc_by(changes);
    }

    pub(crate) fn malformed(&self, cluster: &ClusterRef, kind: Kind, objects: u32) {
        if objects > 0 {
            self.malformed.of(cluster, &of(cluster, kind)).inc_by(u64::from(objects));
        }
    }

    pub(crate) fn reconnected(&self, cluster: &ClusterRef, kind: Kind, reason: &'static str) {
        self.reconnects.of(cluster, &because(cluster, kind, reason)).inc();
    }

    pub(crate) fn backed_off(&self, cluster: &ClusterRef, kind: Kind, pause: Duration) {
        self.back_off.of(cluster, &of(cluster, kind)).inc_by(pause.as_secs_f64());
    }

    pub(crate) fn synced(&self, cluster: &ClusterRef, kind: Kind, synced: bool) {
        self.synced.of(cluster, &of(cluster, kind)).set(i64::from(synced));
    }

    pub(crate) fn requested(&self, cluster: &ClusterRef, verb: Verb, refusal: Option<&Refusal>) {
        let labels = OfRequest { cluster: cluster.to_string(), verb: verb.as_str(), code: code(refusal) };
        self.requests.of(cluster, &labels).inc();
    }

    /// Ends the series of a cluster that nobody talks to any more.
    pub(crate) fn forget(&self, cluster: &ClusterRef) {
        self.watch_events.forget(cluster);
        self.relists.forget(cluster);
        self.drift.forget(cluster);
        self.malformed.forget(cluster);
        self.reconnects.forget(cluster);
        self.back_off.forget(cluster);
        self.synced.forget(cluster);
        self.requests.forget(cluster);
    }

    pub(crate) fn write_avoided(&self, effect: &'static str) {
        self.writes_avoided.get_or_create(&OfEffect { effect }).inc();
    }

    pub(crate) fn cached(&self, bytes: usize) {
        self.cache_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

fn of(cluster: &ClusterRef, kind: Kind) -> OfKind {
    OfKind { cluster: cluster.to_string(), kind: kind.as_str() }
}

fn because(cluster: &ClusterRef, kind: Kind, reason: &'static str) -> OfKindBecause {
    OfKindBecause { cluster: cluster.to_string(), kind: kind.as_str(), reason }
}

/// A peer may answer with any code, so those that mean nothing to us are counted by their hundred.
fn code(refusal: Option<&Refusal>) -> &'static str {
    let Some(refusal) = refusal else { return "2xx" };
    match refusal {
        Refusal::Throttled { .. } => "throttled",
        Refusal::Timeout { .. } => "timeout",
        Refusal::Unreachable { .. } => "unreachable",
        Refusal::TooLarge { .. } | Refusal::Unintelligible { .. } => "unusable",
        Refusal::Request { .. } => "unsent",
        Refusal::Status { code, .. } => match code {
            400 => "400",
            401 => "401",
            403 => "403",
            404 => "404",
            409 => "409",
            410 => "410",
            422 => "422",
            429 => "429",
            500 => "500",
            503 => "503",
            504 => "504",
            300..=399 => "3xx",
            402..=499 => "4xx",
            _ => "5xx",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_of_a_peer_end_with_it() {
        let metrics = Metrics::default();
        let peers = ["milan", "paris"].map(|id| ClusterRef::Remote(id.into()));
        for cluster in peers.iter().chain([&ClusterRef::Local]) {
            metrics.watched(cluster, Kind::Pod, "applied");
            metrics.relisted(cluster, Kind::Pod, "asked");
            metrics.drifted(cluster, Kind::Pod, 1);
            metrics.malformed(cluster, Kind::Pod, 1);
            metrics.reconnected(cluster, Kind::Pod, "closed");
            metrics.backed_off(cluster, Kind::Pod, Duration::from_secs(1));
            metrics.synced(cluster, Kind::Pod, true);
            metrics.requested(cluster, Verb::Get, None);
        }
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let count = |label: &str| {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            text.matches(label).count()
        };
        assert_eq!((count("\"milan\""), count("\"paris\""), count("\"local\"")), (8, 8, 8));
        metrics.forget(&peers[0]);
        assert_eq!((count("\"milan\""), count("\"paris\""), count("\"local\"")), (0, 8, 8));
        metrics.requested(&peers[0], Verb::Get, None);
        assert_eq!(count("\"milan\""), 1, "it came again");
    }

    #[test]
    fn everything_is_registered_under_its_name() {
        let metrics = Metrics::default();
        let local = ClusterRef::Local;
        metrics.watched(&local, Kind::Pod, "applied");
        metrics.drifted(&local, Kind::Pod, 2);
        metrics.requested(
            &local,
            Verb::Patch,
            Some(&Refusal::Status { code: 418, message: String::new(), retry_after: None }),
        );
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            r#"liqo_kube_watch_events_total{cluster="local",kind="Pod",reason="applied"} 1"#,
            r#"liqo_kube_drift_total{cluster="local",kind="Pod"} 2"#,
            r#"liqo_kube_requests_total{cluster="local",verb="patch",code="4xx"} 1"#,
            "liqo_kube_cache_bytes 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
