//! What is counted about offers and about an external resource monitor.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use liqo_domain::Sharing;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A resource. As many series as nodes of this cluster have kinds of resources, and offers name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Resource {
    resource: String,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    call: &'static str,
    outcome: &'static str,
}

type Amount = Gauge<f64, AtomicU64>;

/// Counts. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    consumers: Gauge,
    free: Family<Resource, Amount>,
    promised: Family<Resource, Amount>,
    shown: Arc<Mutex<BTreeSet<Resource>>>,
    connected: Gauge,
    stale: Gauge,
    calls: Family<Outcome, Counter>,
}

impl Metrics {
    /// Metrics in a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "liqo_sharing_consumers",
            "Consumers that this cluster offers resources to",
            metrics.consumers.clone(),
        );
        registry.register(
            "liqo_sharing_free",
            "What nobody uses of a resource on the nodes of this cluster, in its unit",
            metrics.free.clone(),
        );
        registry.register(
            "liqo_sharing_promised",
            "What all offers name of a resource beyond what their consumers use; more than is free when several are offered the same",
            metrics.promised.clone(),
        );
        registry.register(
            "liqo_resource_monitor_connected",
            "Whether the external resource monitor can be asked",
            metrics.connected.clone(),
        );
        registry.register(
            "liqo_resource_monitor_stale_consumers",
            "Consumers whose offers stand on what the external resource monitor said earlier, because it cannot be asked or understood",
            metrics.stale.clone(),
        );
        registry.register(
            "liqo_resource_monitor_calls",
            "Calls of the external resource monitor, by how they ended",
            metrics.calls.clone(),
        );
        metrics
    }

    /// Shows what is promised. Series of resources that are no more end.
    pub(crate) fn promise(&self, sharing: &Sharing) {
        self.consumers.set(count(sharing.consumers));
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now: BTreeSet<Resource> =
            sharing.resources.keys().map(|resource| Resource { resource: resource.clone() }).collect();
        for gone in shown.difference(&now) {
            self.free.remove(gone);
            self.promised.remove(gone);
        }
        for (resource, promise) in now.iter().zip(sharing.resources.values()) {
            self.free.get_or_create(resource).set(units(promise.free));
            self.promised.get_or_create(resource).set(units(promise.promised));
        }
        *shown = now;
    }

    pub(crate) fn connection(&self, works: bool) {
        self.connected.set(i64::from(works));
    }

    pub(crate) fn stale(&self, consumers: usize) {
        self.stale.set(count(consumers));
    }

    pub(crate) fn call(&self, call: &'static str, worked: bool) {
        let outcome = if worked { "answered" } else { "failed" };
        self.calls.get_or_create(&Outcome { call, outcome }).inc();
    }
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people; exact up to 9 petabytes")]
fn units(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use liqo_domain::Promise;
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn sharing(resources: &[(&str, u64, u64)]) -> Sharing {
        let resources = resources.iter().map(|(resource, free, promised)| {
            ((*resource).to_owned(), Promise { free: *free, promised: *promised })
        });
        Sharing { consumers: 3, resources: resources.collect() }
    }

    #[test]
    fn metrics_are_shown_under_their_names_and_end_with_their_resource() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let text = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        metrics.promise(&sharing(&[("cpu", 1_500, 4_500), ("gone", 1_000, 0)]));
        metrics.connection(true);
        metrics.stale(2);
        metrics.call("ReadResources", false);
        let shown = text();
        for line in [
            "liqo_sharing_consumers 3",
            "liqo_sharing_free{resource=\"cpu\"} 1.5",
            "liqo_sharing_promised{resource=\"cpu\"} 4.5",
            "liqo_sharing_free{resource=\"gone\"} 1.0",
            "liqo_resource_monitor_connected 1",
            "liqo_resource_monitor_stale_consumers 2",
            "liqo_resource_monitor_calls_total{call=\"ReadResources\",outcome=\"failed\"} 1",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
        }
        metrics.promise(&sharing(&[("cpu", 1_500, 4_500)]));
        assert!(!text().contains("gone"));
    }
}
