//! Metrics of both services.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Refusal {
    pub(crate) reason: &'static str,
}

/// Counts of both services. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) streams: Gauge,
    pub(crate) snapshots: Counter,
    pub(crate) deltas: Counter,
    pub(crate) heartbeats: Counter,
    pub(crate) refused: Family<Refusal, Counter>,
    pub(crate) debug_refused: Counter,
}

impl Metrics {
    /// Metrics in a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "liqo_projection_streams",
            "Streams of views that are open",
            metrics.streams.clone(),
        );
        registry.register("liqo_projection_snapshots", "Whole views sent", metrics.snapshots.clone());
        registry.register("liqo_projection_deltas", "Changes of views sent", metrics.deltas.clone());
        registry.register("liqo_projection_heartbeats", "Signs of life sent", metrics.heartbeats.clone());
        registry.register("liqo_projection_refused", "Calls refused, by reason", metrics.refused.clone());
        registry.register(
            "liqo_debug_refused_connections",
            "Connections to the debug socket refused, because of the user that made them",
            metrics.debug_refused.clone(),
        );
        metrics
    }

    pub(crate) fn refuse(&self, reason: &'static str) {
        self.refused.get_or_create(&Refusal { reason }).inc();
    }
}
