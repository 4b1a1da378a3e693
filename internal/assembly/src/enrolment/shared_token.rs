//! The token that peers need: made once, followed for ever, answered from memory.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use liqo_api::names::{AUTH_TOKEN_SECRET, TOKEN_KEY};
use liqo_identity::Secret;
use liqo_kube_io::{ApiServer, Refusal, secret_or_create};
use tokio::sync::watch;
use tracing::{info, warn};

/// The token that peers need.
#[derive(Clone)]
pub struct SharedToken(watch::Receiver<Secret>);

impl SharedToken {
    /// Reads the Secret `auth-token`, or makes it of these random bytes, and follows it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the API server.
    pub async fn follow(server: &ApiServer, namespace: &str, random: [u8; 64]) -> Result<Self, Refusal> {
        let made = || -> BTreeMap<String, Vec<u8>> {
            [(TOKEN_KEY.to_owned(), Secret::token(&random).expose().as_bytes().to_vec())].into()
        };
        let found = secret_or_create(server, namespace, AUTH_TOKEN_SECRET, made).await?;
        let token = Secret::new(String::from_utf8_lossy(found.get(TOKEN_KEY).unwrap_or_default()));
        let (told, known) = watch::channel(token);
        let secrets: Api<KubeSecret> = Api::namespaced(server.client().clone(), namespace);
        tokio::spawn(keep_up(secrets, told));
        Ok(Self(known))
    }

    /// The token as it is now; empty when somebody deleted it, and then nobody is let in.
    pub fn now(&self) -> Secret {
        self.0.borrow().clone()
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
