//! What is counted about the webhooks.

use std::time::Duration;

use liqo_events::UnixMillis;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends in seconds: an answer takes a millisecond, unless something is waited for.
const BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 10.0];
const MILLIS_PER_SECOND: i64 = 1000;

/// A webhook, and how a question to it ended. The values are fixed words, so nobody outside can make new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Ended {
    pub(crate) webhook: &'static str,
    pub(crate) verdict: &'static str,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    pub(crate) webhook: &'static str,
}

/// Why a request was no question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

/// Counts of the webhooks. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) reviews: Family<Ended, Counter>,
    pub(crate) seconds: Family<Asked, Histogram>,
    pub(crate) misdirected: Family<Reason, Counter>,
    pub(crate) connections: Gauge,
    pub(crate) failed_handshakes: Counter,
    pub(crate) certificate_end: Gauge,
    pub(crate) failed_renewals: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reviews: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            misdirected: Family::default(),
            connections: Gauge::default(),
            failed_handshakes: Counter::default(),
            certificate_end: Gauge::default(),
            failed_renewals: Counter::default(),
        }
    }
}

impl Metrics {
    /// Metrics in a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "liqo_admission_reviews",
            "Questions to the webhooks, by webhook and verdict",
            metrics.reviews.clone(),
        );
        registry.register_with_unit(
            "liqo_admission_review",
            "Time that answers of the webhooks took",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register(
            "liqo_admission_misdirected_requests",
            "Requests to the webhooks that were no questions, by what was wrong",
            metrics.misdirected.clone(),
        );
        registry.register(
            "liqo_admission_connections",
            "Connections to the webhooks that are open",
            metrics.connections.clone(),
        );
        registry.register(
            "liqo_admission_failed_handshakes",
            "Connections to the webhooks that ended in the TLS handshake",
            metrics.failed_handshakes.clone(),
        );
        registry.register(
            "liqo_admission_certificate_end_timestamp_seconds",
            "Unix time at which the certificate of the webhooks ends",
            metrics.certificate_end.clone(),
        );
        registry.register(
            "liqo_admission_failed_renewals",
            "Times that the certificates of the webhooks could not be looked after",
            metrics.failed_renewals.clone(),
        );
        metrics
    }

    pub(crate) fn review(&self, webhook: &'static str, verdict: &'static str, took: Duration) {
        self.reviews.get_or_create(&Ended { webhook, verdict }).inc();
        self.seconds.get_or_create(&Asked { webhook }).observe(took.as_secs_f64());
    }

    pub(crate) fn misdirected(&self, reason: &'static str) {
        self.misdirected.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn certificate_ends(&self, at: UnixMillis) {
        self.certificate_end.set(at.0 / MILLIS_PER_SECOND);
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn metrics_are_shown_under_their_names() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.review("pod.mutate.liqo.io", "patched", Duration::from_millis(3));
        metrics.misdirected("too-long");
        metrics.certificate_ends(UnixMillis(1_795_000_000_999));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "liqo_admission_reviews_total{webhook=\"pod.mutate.liqo.io\",verdict=\"patched\"} 1",
            "liqo_admission_review_seconds_count{webhook=\"pod.mutate.liqo.io\"} 1",
            "liqo_admission_misdirected_requests_total{reason=\"too-long\"} 1",
            "liqo_admission_connections 0",
            "liqo_admission_failed_handshakes_total 0",
            "liqo_admission_certificate_end_timestamp_seconds 1795000000",
            "liqo_admission_failed_renewals_total 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in {text}");
        }
    }
}
