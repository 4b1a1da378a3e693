//! The webhooks of the controller manager, with the engine's state and the API server behind them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::Api;
use kube::api::{Patch, PatchParams};
use liqo_admission::{CertificateStore, Unavailable, Verdicts, bundle_patch};
use liqo_api::names::{WEBHOOK, WEBHOOK_CERTIFICATE_SECRET};
use liqo_domain::{LiqoMachine, NamespaceOrigin, Placement, State, namespace_origin, pod_placement};
use liqo_engine::Handle;
use liqo_kube_io::{ApiServer, Refusal, SecretData, keep_secret, read_secret};
use liqo_model::{Kind, NamespaceName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the engine may take to say what it said last: it answers between two batches.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What the state says. When the process ends, the API server goes on asking for a moment, while the engine does not answer
/// any more: then what it said last counts.
#[derive(Clone)]
pub struct StateVerdicts {
    handle: Handle<LiqoMachine>,
    last: Arc<watch::Sender<Option<Arc<LastVerdicts>>>>,
}

impl StateVerdicts {
    /// Of this engine.
    #[must_use]
    pub fn new(handle: Handle<LiqoMachine>) -> Self {
        Self { handle, last: Arc::new(watch::Sender::new(None)) }
    }

    /// From now on what the state says now counts. Call it before the engine is told to stop.
    pub async fn keep_the_last(&self) {
        if let Ok(Ok(last)) = timeout(LAST_LOOK, self.handle.read(LastVerdicts::of)).await {
            self.last.send_replace(Some(Arc::new(last)));
        }
    }

    async fn verdict<T: Send + 'static>(
        &self,
        namespace: &NamespaceName,
        of_state: fn(&State, &NamespaceName) -> T,
        of_last: fn(&Verdict) -> T,
    ) -> Result<T, Unavailable> {
        let mut last = self.last.subscribe();
        let asked = namespace.clone();
        tokio::select! {
            biased;
            // Its sender is held here.
            Ok(last) = last.wait_for(Option::is_some) => {
                last.as_ref().map(|last| of_last(last.verdict(namespace))).ok_or_else(ending)
            }
            said = self.handle.read(move |state| of_state(state, &asked)) => said.map_err(|_| ending()),
        }
    }
}

impl Verdicts for StateVerdicts {
    async fn placement(&self, namespace: &NamespaceName) -> Result<Placement, Unavailable> {
        self.verdict(namespace, pod_placement, |last| last.placement.clone()).await
    }

    async fn namespace_origin(&self, namespace: &NamespaceName) -> Result<NamespaceOrigin, Unavailable> {
        self.verdict(namespace, namespace_origin, |last| last.origin.clone()).await
    }
}

/// What is said about one namespace.
struct Verdict {
    placement: Placement,
    origin: NamespaceOrigin,
}

impl Verdict {
    fn of(state: &State, namespace: &NamespaceName) -> Self {
        Self { placement: pod_placement(state, namespace), origin: namespace_origin(state, namespace) }
    }
}

/// What was said last about every namespace that is known, and about those that are not.
struct LastVerdicts {
    known: BTreeMap<NamespaceName, Verdict>,
    unknown: Verdict,
}

impl LastVerdicts {
    fn of(state: &State) -> Self {
        let named = state.local(Kind::Namespace).map(|(key, _)| key.name.as_str());
        let offloaded = state.local(Kind::NamespaceOffloading).map(|(key, _)| key.namespace.as_str());
        let known = named.chain(offloaded).map(NamespaceName::new);
        let known = known.map(|namespace| (namespace.clone(), Verdict::of(state, &namespace))).collect();
        Self { known, unknown: Verdict::of(state, &NamespaceName::new("")) }
    }

    fn verdict(&self, namespace: &NamespaceName) -> &Verdict {
        self.known.get(namespace).unwrap_or(&self.unknown)
    }
}

fn ending() -> Unavailable {
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
