//! Lets the projection stream ask the API server who calls, and keep its authority there.

use std::collections::BTreeMap;
use std::sync::Arc;

use liqo_kube_io::{ApiServer, Refusal, SecretData, keep_secret, publish_config, read_secret, review_token};
use liqo_projection_api::projection::{AuthorityStore, Identity, ReviewError, TokenReviewer};

/// Secret and ConfigMap of the stream's authority.
const NAME: &str = "liqo-fabric-ca";

/// The local API server, for the stream.
#[derive(Clone)]
pub(crate) struct Fabric {
    pub(crate) server: Arc<ApiServer>,
    pub(crate) namespace: String,
}

impl TokenReviewer for Fabric {
    async fn review(&self, token: &str, audience: &str) -> Result<Identity, ReviewError> {
        match review_token(&self.server, token, audience).await {
            Ok(Some(owner)) => Ok(Identity { service_account: owner.service_account, node: owner.node }),
            Ok(None) => Err(ReviewError::Refused { reason: "the API server does not know it".to_owned() }),
            Err(refusal) => Err(ReviewError::Unavailable { reason: text(refusal) }),
        }
    }
}

impl AuthorityStore for Fabric {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        read_secret(&self.server, &self.namespace, NAME).await.map(SecretData::into_inner).map_err(text)
    }

    async fn save(&self, data: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        keep_secret(&self.server, &self.namespace, NAME, &data).await.map_err(text)
    }

    async fn publish(&self, data: BTreeMap<String, String>) -> Result<(), String> {
        publish_config(&self.server, &self.namespace, NAME, &data).await.map_err(text)
    }
}

fn text(refusal: Refusal) -> String {
    refusal.to_string()
}
