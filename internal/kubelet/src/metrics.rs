//! What is counted about the node's face.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How a request ended. The words are fixed, so that nobody outside can make new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    code: u16,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counts of the server, the certificate and the lease. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
    reviews: Family<Outcome, Counter>,
    certificates: Family<Outcome, Counter>,
    renewals: Family<Outcome, Counter>,
    pub(crate) failed_handshakes: Counter,
    pub(crate) connections: Gauge,
    pub(crate) streams: Gauge,
    pub(crate) certificate_end: Gauge,
}

impl Metrics {
    /// Metrics in a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { requests, reviews, certificates, renewals, .. } = metrics.clone();
        registry.register("liqo_kubelet_requests", "Requests to the node, by route and answer", requests);
        registry.register(
            "liqo_kubelet_reviews",
            "Questions to the API server about callers, by how they ended",
            reviews,
        );
        registry.register(
            "liqo_kubelet_certificates",
            "Requests for a serving certificate, by how they ended",
            certificates,
        );
        registry.register(
            "liqo_kubelet_lease_renewals",
            "Renewals of the node's Lease, by how they ended",
            renewals,
        );
        let Self { failed_handshakes, connections, streams, certificate_end, .. } = metrics.clone();
        registry.register(
            "liqo_kubelet_failed_handshakes",
            "Connections to the node that ended in the TLS handshake",
            failed_handshakes,
        );
        registry.register("liqo_kubelet_connections", "Connections to the node that are open", connections);
        registry.register(
            "liqo_kubelet_streams",
            "Streams of exec, attach and port-forward that are open",
            streams,
        );
        registry.register(
            "liqo_kubelet_certificate_end_seconds",
            "When the serving certificate ends, in seconds since 1970",
            certificate_end,
        );
        metrics
    }

    pub(crate) fn answered(&self, route: &'static str, code: u16) {
        self.requests.get_or_create(&Answered { route, code }).inc();
    }

    pub(crate) fn reviewed(&self, outcome: &'static str) {
        self.reviews.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn certified(&self, outcome: &'static str) {
        self.certificates.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn renewed(&self, outcome: &'static str) {
        self.renewals.get_or_create(&Outcome { outcome }).inc();
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
        metrics.answered("logs", 200);
        metrics.reviewed("allowed");
        metrics.certified("granted");
        metrics.renewed("renewed");
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "liqo_kubelet_requests_total{route=\"logs\",code=\"200\"} 1",
            "liqo_kubelet_reviews_total{outcome=\"allowed\"} 1",
            "liqo_kubelet_certificates_total{outcome=\"granted\"} 1",
            "liqo_kubelet_lease_renewals_total{outcome=\"renewed\"} 1",
            "liqo_kubelet_failed_handshakes_total 0",
            "liqo_kubelet_connections 0",
            "liqo_kubelet_streams 0",
            "liqo_kubelet_certificate_end_seconds 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in {text}");
        }
    }
}
