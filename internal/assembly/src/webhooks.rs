//! The webhooks of the controller manager, with the engine's state and the API server behind them.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::Api;
use kube::api::{Patch, PatchParams};
use liqo_admission::{CertificateStore, Unavailable, Verdicts, bundle_patch};
use liqo_api::names::{WEBHOOK, WEBHOOK_CERTIFICATE_SECRET};
use liqo_domain::{LiqoMachine, NamespaceOrigin, Placement, namespace_origin, pod_placement};
use liqo_engine::{EngineStopped, Handle};
use liqo_kube_io::{ApiServer, Refusal, SecretData, keep_secret, read_secret};
use liqo_model::NamespaceName;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the state says.
pub struct StateVerdicts(pub Handle<LiqoMachine>);

impl Verdicts for StateVerdicts {
    async fn placement(&self, namespace: &NamespaceName) -> Result<Placement, Unavailable> {
        let namespace = namespace.clone();
        self.0.read(move |state| pod_placement(state, &namespace)).await.map_err(stopped)
    }

    async fn namespace_origin(&self, namespace: &NamespaceName) -> Result<NamespaceOrigin, Unavailable> {
        let namespace = namespace.clone();
        self.0.read(move |state| namespace_origin(state, &namespace)).await.map_err(stopped)
    }
}

fn stopped(_: EngineStopped) -> Unavailable {
    Unavailable { reason: "the control plane is ending; ask again".to_owned() }
}

/// Where the certificates are kept, and who is told.
pub struct WebhookCertificates {
    /// The API server.
    pub server: Arc<ApiServer>,
    /// Namespace that Liqo is installed in.
    pub namespace: String,
}

impl CertificateStore for WebhookCertificates {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let read = read_secret(&self.server, &self.namespace, WEBHOOK_CERTIFICATE_SECRET).await;
        read.map(SecretData::into_inner).map_err(text)
    }

    async fn save(&self, data: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        keep_secret(&self.server, &self.namespace, WEBHOOK_CERTIFICATE_SECRET, &data).await.map_err(text)
    }

    async fn publish(&self, bundle: &str) -> Result<(), String> {
        let client = self.server.client();
        tell(&Api::<MutatingWebhookConfiguration>::all(client.clone()), bundle).await?;
        tell(&Api::<ValidatingWebhookConfiguration>::all(client.clone()), bundle).await
    }
}

/// An installation without webhooks has nobody to tell.
async fn tell<K>(configurations: &Api<K>, bundle: &str) -> Result<(), String>
where
    K: Clone + std::fmt::Debug + DeserializeOwned + Serialize,
{
    let found = configurations.get_opt(WEBHOOK).await.map_err(|error| error.to_string())?;
    let Some(found) = found else { return Ok(()) };
    let found = serde_json::to_value(&found).map_err(|error| error.to_string())?;
    let Some(patch) = bundle_patch(&found, bundle) else { return Ok(()) };
    let patch = serde_json::from_value(patch).map_err(|error| error.to_string())?;
    let patched = configurations.patch(WEBHOOK, &PatchParams::default(), &Patch::<()>::Json(patch)).await;
    patched.map(|_| ()).map_err(|error| error.to_string())
}

fn text(refusal: Refusal) -> String {
    refusal.to_string()
}
