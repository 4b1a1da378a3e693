//! Asking the witness of a cluster's life: one reading of the Lease.

use liqo_model::Kind;

use super::ClusterLife;
use crate::client::{Place, Urgency, Verb};
use crate::lease::LeaseRecord;
use crate::{ApiServer, Gone, Refusal, Sink};

/// What the witness said.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The Lease was read. When it is older than it was, a new generation has begun.
    Lease {
        /// Whether it is of the term that was known when it was asked for: nobody has taken it since.
        same_term: bool,
    },
    /// There is no Lease, or no right to read it.
    Silence,
    /// The API server gave no answer.
    Refused(Refusal),
}

/// Reads the Lease that tells whether the cluster is still in the state that it was in.
///
/// # Errors
///
/// [`Gone`] when nobody takes observations any more.
pub(crate) async fn hear<S: Sink>(server: &ApiServer, life: &ClusterLife, sink: &S) -> Result<Heard, Gone> {
    let Some((namespace, name)) = life.lease() else { return Ok(Heard::Silence) };
    let request = match (Place { kind: Kind::Lease, namespace }).get(name) {
        Ok(request) => request,
        Err(refusal) => return Ok(Heard::Refused(refusal)),
    };
    let asked = life.ask().await;
    match server.object(Verb::Get, Urgency::Lease, request).await {
        Ok(lease) => {
            let now = LeaseRecord::read(&lease).testimony();
            let same_term = now.epoch == asked.epoch();
            life.heard(&asked, now, sink).await?;
            Ok(Heard::Lease { same_term })
        }
        Err(refusal) if matches!(refusal.code(), 403 | 404) => Ok(Heard::Silence),
        Err(refusal) => Ok(Heard::Refused(refusal)),
    }
}
