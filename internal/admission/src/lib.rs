//! The webhooks: the API server asks whether an object may be as it is, and is told, or told what to change in it.
//!
//! Verdicts about what is known are pure functions of `liqo_domain`, those about a body are pure functions here; both need
//! no counter, so every replica answers alike. What waits is at the edges: connections and bodies ([`run()`]), the state
//! and the API server behind [`Verdicts`], the certificates behind [`CertificateStore`].
//!
//! Whatever cannot be judged is refused, with the reason and what to do.

mod answer;
mod certificates;
mod error;
mod metrics;
mod patch;
mod port;
mod review;
mod run;
mod server;
#[cfg(test)]
mod tests;
mod webhook;

pub use certificates::{bundle_patch, service_names};
pub use error::Error;
pub use metrics::Metrics;
pub use port::{CertificateStore, Unavailable, Verdicts};
pub use run::{Options, run};
pub use webhook::Settings;
