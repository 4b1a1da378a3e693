//! What the webhooks need of the process that they run in.

use std::collections::BTreeMap;
use std::future::Future;

use liqo_domain::{NamespaceOrigin, Placement};
use liqo_model::{ClusterId, NamespaceName};
use liqo_reflection::policy::PodPolicy;
use thiserror::Error;

/// Nobody can tell now.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// What is wrong, for people.
    pub reason: String,
}

/// What is known of the cluster, in practice the durable state of the engine, on every replica.
pub trait Verdicts: Send + Sync + 'static {
    /// Where new pods of a namespace may run: `liqo_domain::pod_placement`.
    fn placement(
        &self,
        namespace: &NamespaceName,
    ) -> impl Future<Output = Result<Placement, Unavailable>> + Send;

    /// Whose a namespace is: `liqo_domain::namespace_origin`. What is not in the state may be asked of the API server.
    fn namespace_origin(
        &self,
        namespace: &NamespaceName,
    ) -> impl Future<Output = Result<NamespaceOrigin, Unavailable>> + Send;

    /// What the administrator allows pods of a consumer; nothing unless this is told otherwise.
    fn policy(&self, _consumer: &ClusterId) -> PodPolicy {
        PodPolicy::default()
    }
}

/// Where the certificates of the webhooks are kept, and where the API server learns whom to trust.
pub trait CertificateStore: Send + Sync + 'static {
    /// What is in Secret `liqo-webhook-certs`; empty when there is none.
    fn load(&self) -> impl Future<Output = Result<BTreeMap<String, Vec<u8>>, String>> + Send;

    /// Keeps this in the Secret, in place of everything that was in it. Secret.
    fn save(&self, data: BTreeMap<String, Vec<u8>>) -> impl Future<Output = Result<(), String>> + Send;

    /// Lets the API server trust these certificates, PEM, in every webhook of both configurations `liqo-webhook`:
    /// [`crate::bundle_patch`]. Called often; to write only what differs is up to this.
    fn publish(&self, bundle: &str) -> impl Future<Output = Result<(), String>> + Send;
}
