//! Lets the projection stream ask the API server who calls, and keep its authority there.

use std::collections::BTreeMap;
use std::sync::Arc;

use liqo_kube_io::{ApiServer, Refusal, keep_secret, publish_config, read_secret, review_token};
use liqo_projection_api::projection::{AuthorityStore, Identity, ReviewError, TokenReviewer};

/// Secret and ConfigMap of the stream's authority.
const AUTHORITY: &str = "liqo-fabric-ca";

/// The local API server, for the stream.
#[derive(Clone)]
pub(crate) struct Fabric {
    pub(crate) server: Arc<ApiServer>,
    pub(crate) namespace: String,
}

impl TokenReviewer for Fabric {
    async fn review(&self, token: &str, audience: &str) -> Result<Identity, ReviewError> {
        let unavailable = |refusal: Refusal| ReviewError::Unavailable { reason: refusal.to_string() };
        let owner = review_token(&self.server, token, audience).await.map_err(unavailable)?;
        let refused = || ReviewError::Refused { reason: "the API server does not know it".to_owned() };
        owner
            .map(|owner| Identity { service_account: owner.service_account, node: owner.node })
            .ok_or_else(refused)
    }
}

impl AuthorityStore for Fabric {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let read = read_secret(&self.server, &self.namespace, AUTHORITY).await;
        read.map(|data| data.into_inner()).map_err(|refusal| refusal.to_string())
    }

    async fn save(&self, data: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        let kept = keep_secret(&self.server, &self.namespace, AUTHORITY, &data).await;
        kept.map_err(|refusal| refusal.to_string())
    }

    async fn publish(&self, data: BTreeMap<String, String>) -> Result<(), String> {
        let published = publish_config(&self.server, &self.namespace, AUTHORITY, &data).await;
        published.map_err(|refusal| refusal.to_string())
    }
}
