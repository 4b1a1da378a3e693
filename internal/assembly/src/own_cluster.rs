//! What the controller manager knows of its own cluster before and beside the state: its identity for others, and the key
//! of its gateway.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use liqo_api::labels::{KEY, KEY_WIREGUARD};
use liqo_api::names::{PRIVATE_KEY, PUBLIC_KEY, WIREGUARD_SECRET};
use liqo_datapath::KeyPair;
use liqo_domain::LiqoMachine;
use liqo_engine::Handle;
use liqo_identity::Cluster;
use liqo_kube_io::{ApiServer, Refusal, secret_or_create};
use serde_json::json;
use tokio::sync::watch;

/// Keeps up with the identity, for as long as somebody listens.
pub fn follow_identity(handle: &Handle<LiqoMachine>) -> watch::Receiver<Option<Cluster>> {
    let (told, known) = watch::channel(None);
    let handle = handle.clone();
    tokio::spawn(async move {
        let mut published = handle.subscribe();
        let read = || handle.read(|state| state.identity.as_ref().map(|identity| identity.body.clone()));
        while let Ok(identity) = read().await {
            told.send_if_modified(|known| {
                let now = identity.map(|identity| Cluster { id: identity.id, name: identity.name });
                let changed = *known != now;
                *known = now;
                changed
            });
            if told.is_closed() || published.changed().await.is_err() {
                return;
            }
        }
    });
    known
}

/// The public key of the gateway, base64. The pair is made of these random bytes when there is none; the gateway mounts
/// the Secret.
///
/// # Errors
///
/// [`Refusal`] of the API server.
pub async fn gateway_key(server: &ApiServer, namespace: &str, random: [u8; 32]) -> Result<String, Refusal> {
    let made = || -> BTreeMap<String, Vec<u8>> {
        let pair = KeyPair::of(random);
        let text = |text: String| text.into_bytes();
        [
            (PUBLIC_KEY.to_owned(), text(pair.public().to_string())),
            (PRIVATE_KEY.to_owned(), text(pair.private_text())),
        ]
        .into()
    };
    let found = secret_or_create(server, namespace, WIREGUARD_SECRET, made).await?;
    let secrets: Api<Secret> = Api::namespaced(server.client().clone(), namespace);
    let label = json!({"metadata": {"labels": {KEY: KEY_WIREGUARD}}});
    // Other tools find it by the label; without it nothing of ours is worse.
    if let Err(error) = secrets.patch(WIREGUARD_SECRET, &PatchParams::default(), &Patch::Merge(label)).await {
        tracing::warn!(%error, "Secret {WIREGUARD_SECRET} could not be given its label");
    }
    Ok(String::from_utf8_lossy(found.get(PUBLIC_KEY).unwrap_or_default()).into_owned())
}
