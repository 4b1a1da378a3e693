//! Where the Lease is.

use std::future::Future;
use std::sync::Arc;

use liqo_model::Kind;
use serde_json::Value;

use crate::client::{Place, Urgency, Verb};
use crate::{ApiServer, RawObject, Refusal};

/// One Lease, wherever it is kept: in an API server, or in the memory of a test that stops the clock.
pub trait LeaseStore: Send + Sync + 'static {
    /// The Lease as it is; 404 when there is none.
    fn get(&self) -> impl Future<Output = Result<RawObject, Refusal>> + Send;
    /// Makes it; 409 when there is one.
    fn create(&self, lease: Value) -> impl Future<Output = Result<RawObject, Refusal>> + Send;
    /// Merges a patch that names the version it is for; 409 when there is another one.
    fn patch(&self, patch: Value) -> impl Future<Output = Result<RawObject, Refusal>> + Send;
}

/// A Lease in an API server.
pub struct ServerLease {
    pub(super) server: Arc<ApiServer>,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl ServerLease {
    fn place(&self) -> Place<'_> {
        Place { kind: Kind::Lease, namespace: &self.namespace }
    }
}

impl LeaseStore for ServerLease {
    async fn get(&self) -> Result<RawObject, Refusal> {
        let request = self.place().get(&self.name)?;
        self.server.object(Verb::Get, Urgency::Lease, request).await
    }

    async fn create(&self, lease: Value) -> Result<RawObject, Refusal> {
        let request = self.place().create(&lease)?;
        self.server.object(Verb::Create, Urgency::Lease, request).await
    }

    async fn patch(&self, patch: Value) -> Result<RawObject, Refusal> {
        let request = self.place().patch(&self.name, false, &patch)?;
        self.server.object(Verb::Patch, Urgency::Lease, request).await
    }
}
