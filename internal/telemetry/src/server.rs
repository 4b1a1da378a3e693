//! Metrics and probes over HTTP: `/metrics`, `/livez` (also `/healthz`, as older probes call it), `/readyz`.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use liqo_listening::Listening;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::connection::Bounded;
use crate::{Checks, TelemetryError};

/// Answers to `/metrics` at a time. Each takes memory for all metrics; two servers scrape, and one is spare.
const MOST_SCRAPES: usize = 3;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A registry that says which program it is of, as `liqo_build_info`.
pub fn registry(component: &str, version: &str) -> Registry {
    let mut registry = Registry::default();
    let labels = vec![("component", component.to_owned()), ("version", version.to_owned())];
    registry.register("liqo_build", "The program that these metrics are of", Info::new(labels));
    registry
}

/// What is shown.
pub struct Exposed {
    /// The metrics, all of them registered.
    pub registry: Registry,
    /// Whether the process is well: when not, it is started anew. What a new start would not mend is no part of it.
    pub health: Checks,
    /// Whether it can be asked for work.
    pub readiness: Checks,
}

impl fmt::Debug for Exposed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { health, readiness, .. } = self;
        out.debug_struct("Exposed")
            .field("health", health)
            .field("readiness", readiness)
            .finish_non_exhaustive()
    }
}

struct Shown {
    exposed: Exposed,
    scrapes: Semaphore,
}

/// Serves until `stop` is ready; answers under way are finished.
///
/// # Errors
///
/// [`TelemetryError::Serve`].
pub async fn serve(
    listening: Listening,
    exposed: Exposed,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), TelemetryError> {
    let shown = Arc::new(Shown { exposed, scrapes: Semaphore::new(MOST_SCRAPES) });
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/healthz", get(livez))
        .route("/readyz", get(readyz))
        .with_state(shown);
    let server = axum::serve(Bounded::new(listening), router).with_graceful_shutdown(stop);
    server.await.map_err(|source| TelemetryError::Serve { source })
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    let Ok(_place) = shown.scrapes.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at a time\n").into_response();
    };
    let mut text = String::new();
    match encode(&mut text, &shown.exposed.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "a metric cannot be written\n").into_response(),
    }
}

async fn livez(State(shown): State<Arc<Shown>>) -> Response {
    answer(&shown.exposed.health)
}

async fn readyz(State(shown): State<Arc<Shown>>) -> Response {
    answer(&shown.exposed.readiness)
}

fn answer(checks: &Checks) -> Response {
    let (fulfilled, text) = checks.outcome();
    let status = if fulfilled { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, if text.is_empty() { "ok\n".to_owned() } else { text }).into_response()
}
