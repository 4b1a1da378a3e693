//! What is counted about authentication.

pub(crate) use liqo_listening::Counted;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How a request ended. The values are fixed words, so nobody outside can make new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

/// Counts of the server and the client. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) requests: Family<Outcome, Counter>,
    pub(crate) connections: Gauge,
    pub(crate) exchanges: Gauge,
    pub(crate) failed_handshakes: Counter,
    pub(crate) enrolments: Family<Outcome, Counter>,
}

impl Metrics {
    /// Metrics in a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "liqo_auth_requests",
            "Requests to the authentication service, by how they ended",
            metrics.requests.clone(),
        );
        registry.register(
            "liqo_auth_connections",
            "Connections to the authentication service that are open",
            metrics.connections.clone(),
        );
        registry.register(
            "liqo_auth_exchanges",
            "Requests to the authentication service for which Kubernetes is asked, with those that wait for it",
            metrics.exchanges.clone(),
        );
        registry.register(
            "liqo_auth_failed_handshakes",
            "Connections to the authentication service that ended in the TLS handshake",
            metrics.failed_handshakes.clone(),
        );
        registry.register(
            "liqo_auth_enrolments",
            "Attempts to get an identity from a peer, by how they ended",
            metrics.enrolments.clone(),
        );
        metrics
    }

    pub(crate) fn request(&self, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn enrolment(&self, outcome: &'static str) {
        self.enrolments.get_or_create(&Outcome { outcome }).inc();
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
        metrics.request("issued");
        metrics.enrolment("denied");
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let shown = [
            "liqo_auth_requests_total{outcome=\"issued\"} 1",
            "liqo_auth_connections 0",
            "liqo_auth_exchanges 0",
            "liqo_auth_failed_handshakes_total 0",
            "liqo_auth_enrolments_total{outcome=\"denied\"} 1",
        ];
        for line in shown {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in {text}");
        }
    }
}
