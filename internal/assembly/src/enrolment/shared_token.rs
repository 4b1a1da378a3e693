//! The token that every peer may use, and the key by which peers know this cluster again: made once, the token followed for
//! ever and answered from memory.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use liqo_api::names::{AUTH_TOKEN_SECRET, TOKEN_KEY};
use liqo_identity::{AUTH_KEY_SECRET, AuthKey, Secret, way_back, with_pin};
use liqo_kube_io::{ApiServer, secret_or_create};
use liqo_model::ClusterId;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::services::Failure;

/// The token that every peer may use, and what tokens tell of this cluster.
#[derive(Clone)]
pub struct SharedToken {
    known: watch::Receiver<Secret>,
    key: Arc<AuthKey>,
}

impl SharedToken {
    /// Reads the Secret `auth-token`, or makes it of these random bytes, and follows it; reads or makes the key.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or the Secret with the key is damaged.
    pub async fn follow(server: &ApiServer, namespace: &str, random: [u8; 64]) -> Result<Self, Failure> {
        let new = AuthKey::generate()?;
        let found = secret_or_create(server, namespace, AUTH_KEY_SECRET, || new.data()).await?;
        let key = Arc::new(AuthKey::read(&found.into_inner())?);
        let made = || -> BTreeMap<String, Vec<u8>> {
            [(TOKEN_KEY.to_owned(), Secret::token(&random).expose().as_bytes().to_vec())].into()
        };
        let found = secret_or_create(server, namespace, AUTH_TOKEN_SECRET, made).await?;
        let token = Secret::new(String::from_utf8_lossy(found.get(TOKEN_KEY).unwrap_or_default()));
        let (told, known) = watch::channel(token);
        let secrets: Api<KubeSecret> = Api::namespaced(server.client().clone(), namespace);
        tokio::spawn(keep_up(secrets, told));
        Ok(Self { known, key })
    }

    /// A token that nobody changes, with a key of its own.
    #[cfg(test)]
    pub(super) fn of(token: Secret) -> Self {
        let key = AuthKey::generate().unwrap_or_else(|error| panic!("{error}"));
        Self { known: watch::channel(token).1, key: Arc::new(key) }
    }

    /// The token as it is now; empty when somebody deleted it, and then nobody is let in.
    pub fn now(&self) -> Secret {
        self.known.borrow().clone()
    }

    /// The key by which peers know this cluster again.
    pub fn key(&self) -> &AuthKey {
        &self.key
    }

    /// The token by which one peer, and no other, may ask this cluster for an identity in turn.
    pub fn way_back(&self, peer: &ClusterId) -> Option<Secret> {
        Some(with_pin(&way_back(&self.now(), peer)?, Some(&self.key.pin())))
    }
}

async fn keep_up(secrets: Api<KubeSecret>, told: watch::Sender<Secret>) {
    let only = watcher::Config::default().fields(&format!("metadata.name={AUTH_TOKEN_SECRET}"));
    let backoff = watcher::DefaultBackoff::default();
    let mut events = pin!(kube::runtime::WatchStreamExt::backoff(watcher::watcher(secrets, only), backoff));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(secret) | Event::InitApply(secret)) => {
                let data = secret.data.unwrap_or_default();
                let text = data.get(TOKEN_KEY).map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
                told.send_replace(Secret::new(text.unwrap_or_default()));
            }
            Ok(Event::Delete(_)) => {
                info!(
                    "the Secret {AUTH_TOKEN_SECRET} was deleted; peers are refused until there is one again"
                );
                told.send_replace(Secret::new(""));
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => warn!(%error, "the Secret {AUTH_TOKEN_SECRET} cannot be watched"),
        }
        if told.is_closed() {
            return;
        }
    }
}
