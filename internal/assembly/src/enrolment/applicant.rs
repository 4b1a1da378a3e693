//! How this cluster gets an identity at a peer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use liqo_api::names::{REMOTE_TOKEN_SECRET_PREFIX, TOKEN_KEY};
use liqo_engine::{Clock as _, Disposition, Outcome, SystemClock};
use liqo_identity::{
    Application, AuthClient, Cluster, Disposition as Advice, EnrolError, Identity, PrivateKey, ProviderError,
    RENEWABLE, Secret, Target, identity_key, identity_secret, is_renewal_due, read_identity,
};
use liqo_model::{ClusterId, NamespaceName, ObjectKey, ResourceVersion, Uid};

use super::SharedToken;
use super::enrolled::IssuedSecret;
use super::refusal::{exists, refused};

/// Most peers that an identity is being asked for at a time.
const MOST_KEYS: usize = 256;

/// What is asked for, and where the answer is kept.
#[derive(Clone, Debug)]
pub struct Enrolment<'a> {
    /// The peer.
    pub peer: &'a ClusterId,
    /// Where its authentication service is.
    pub auth_url: &'a str,
    /// Whether its certificate is not verified.
    pub skip_tls_verify: bool,
    /// This cluster.
    pub home: Cluster,
    /// Namespace of the Secret for the answer.
    pub tenant: &'a NamespaceName,
    /// Name of that Secret.
    pub secret: &'a str,
}

/// An identity that there is.
pub(super) struct Kept {
    /// Version of its Secret.
    pub(super) version: ResourceVersion,
    /// Whether its certificate still lasts.
    pub(super) lasts: bool,
    /// Whether it is time to renew it, which the provider does.
    pub(super) due: bool,
    /// Its key.
    key: Option<PrivateKey>,
}

/// Asks peers for identities, and says which of those that were issued to peers are in use.
pub struct Applicant {
    client: Client,
    namespace: NamespaceName,
    token: SharedToken,
    asking: AuthClient,
    /// Keys that no identity came back for yet: asked with the same one again, a provider whose answer was lost answers again.
    keys: Mutex<BTreeMap<ClusterId, [u8; 32]>>,
    random: fn() -> std::io::Result<[u8; 32]>,
}

impl Applicant {
    /// An applicant with the API server of this cluster, where the tokens of peers are.
    pub fn new(
        client: Client,
        namespace: NamespaceName,
        token: SharedToken,
        asking: AuthClient,
        random: fn() -> std::io::Result<[u8; 32]>,
    ) -> Self {
        Self { client, namespace, token, asking, keys: Mutex::default(), random }
    }

    /// The API server of this cluster.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What was issued to a peer here, in this Secret of that life.
    pub(super) fn issued<'a>(
        &'a self,
        (key, uid): (&'a ObjectKey, &'a Uid),
        peer: &'a ClusterId,
    ) -> IssuedSecret<'a> {
        IssuedSecret { client: &self.client, install: &self.namespace, key, uid, peer }
    }

    /// The identity that there is, if it can be read.
    pub(super) async fn kept(&self, enrolment: &Enrolment<'_>) -> Option<Kept> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), enrolment.tenant.as_str());
        let found = secrets.get_opt(enrolment.secret).await.ok().flatten()?;
        let data = found.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
        let ends = read_identity(&data).ok()?.not_after?;
        let renewable = found.metadata.annotations.is_some_and(|kept| kept.contains_key(RENEWABLE));
        Some(Kept {
            version: found.metadata.resource_version.unwrap_or_default().into(),
            lasts: ends > SystemClock.wall(),
            due: renewable && is_renewal_due(&data, SystemClock.wall()),
            key: identity_key(&data),
        })
    }

    /// Asks, and keeps the answer. Nothing of the answer leaves this function. `earlier` is the identity that there was:
    /// whoever has its key needs no token.
    pub(super) async fn enrol(&self, enrolment: &Enrolment<'_>, earlier: Option<&Kept>) -> Outcome {
        let done = match self.ask(enrolment, earlier).await {
            Ok(identity) => self.keep(enrolment, &identity).await,
            Err(failure) => Err(failure),
        };
        match done {
            Ok(resource_version) => {
                self.with_keys(|keys| keys.remove(enrolment.peer));
                Outcome::Succeeded { resource_version }
            }
            Err((disposition, error)) => Outcome::Failed { disposition, error },
        }
    }

    async fn ask(
        &self,
        enrolment: &Enrolment<'_>,
        earlier: Option<&Kept>,
    ) -> Result<Identity, (Disposition, String)> {
        let key = self.key(enrolment.peer)?;
        let token = self.token_of(enrolment.peer).await?;
        let own = self.token.way_back(enrolment.peer);
        let target =
            Target::parse(enrolment.auth_url, enrolment.skip_tls_verify).map_err(|error| advised(&error))?;
        let application = Application {
            cluster: &enrolment.home,
            key: &key,
            token: token.as_ref(),
            own_token: own.as_ref(),
            earlier: earlier.and_then(|kept| kept.key.as_ref()),
        };
        self.asking.enrol(&target, application).await.map_err(|error| advised(&error))
    }

    /// The Secret has a name of its own for each peer, so an answer that came twice is kept once.
    async fn keep(
        &self,
        enrolment: &Enrolment<'_>,
        identity: &Identity,
    ) -> Result<ResourceVersion, (Disposition, String)> {
        let mut content = identity_secret(identity, enrolment.peer, enrolment.tenant, None);
        enrolment.secret.clone_into(&mut content.name);
        content.generate_name = false;
        let broken = |reason: String| (Disposition::Retry { after: None }, reason);
        let secret: KubeSecret = serde_json::from_value(content.object())
            .map_err(|_| broken("the Secret for the identity cannot be made".to_owned()))?;
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), enrolment.tenant.as_str());
        let kept = match secrets.create(&PostParams::default(), &secret).await {
            Err(error) if exists(&error) => {
                secrets.patch(enrolment.secret, &PatchParams::default(), &Patch::Merge(&secret)).await
            }
            other => other,
        };
        let kept =
            kept.map_err(|error| broken(refused("the Secret for the identity", &error).to_string()))?;
        Ok(kept.metadata.resource_version.unwrap_or_default().into())
    }

    async fn token_of(&self, peer: &ClusterId) -> Result<Option<Secret>, (Disposition, String)> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let name = format!("{REMOTE_TOKEN_SECRET_PREFIX}{peer}");
        let found = secrets.get_opt(&name).await;
        let found = found.map_err(|error: kube::Error| {
            let reason: ProviderError = refused(&format!("Secret {name}"), &error);
            (Disposition::Retry { after: None }, reason.to_string())
        })?;
        let data = found.and_then(|secret| secret.data).unwrap_or_default();
        Ok(data.get(TOKEN_KEY).map(|bytes| Secret::new(String::from_utf8_lossy(&bytes.0))))
    }

    fn key(&self, peer: &ClusterId) -> Result<PrivateKey, (Disposition, String)> {
        let retry = |reason: String| (Disposition::Retry { after: None }, reason);
        let known = self.with_keys(|keys| keys.get(peer).copied());
        let seed = match known {
            Some(seed) => seed,
            None => (self.random)().map_err(|error| retry(format!("no key can be made: {error}")))?,
        };
        self.with_keys(|keys| {
            // Whoever asks for that many forgets those that wait; their peers answer a new key as well after a while.
            if keys.len() >= MOST_KEYS {
                keys.clear();
            }
            keys.insert(peer.clone(), seed);
        });
        PrivateKey::from_seed(&seed).map_err(|error| retry(error.to_string()))
    }

    fn with_keys<T>(&self, act: impl FnOnce(&mut BTreeMap<ClusterId, [u8; 32]>) -> T) -> T {
        // Whoever panicked while holding them left keys behind, and any keys do.
        act(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is done about an error of the peer.
fn advised(error: &EnrolError) -> (Disposition, String) {
    let disposition = match error.disposition() {
        Advice::Retry { after } => Disposition::Retry { after },
        Advice::Park => Disposition::Park,
    };
    let mut text = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    (disposition, text)
}
