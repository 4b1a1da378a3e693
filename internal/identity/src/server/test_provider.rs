//! A provider in memory, which issues real certificates and can be told to fail or to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liqo_events::UnixMillis;
use liqo_model::{ClusterId, NamespaceName, ResourceVersion, tenant_namespace_name};
use tokio::sync::{Notify, Semaphore};

use super::{ApiServer, KeptIdentity, KeptToken, Provider, ProviderError, Tenant};
use crate::objects::{bound_to, one_time_token, read_one_time_token, spent};
use crate::test_authority::TestAuthority;
use crate::{Cluster, Issued, Secret};

pub(crate) const TOKEN: &str = "canary-token-of-this-cluster";
/// 2026-11-18.
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

/// What is in the cluster.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) tenants: BTreeMap<ClusterId, NamespaceName>,
    pub(crate) issued: BTreeMap<ClusterId, Issued>,
    /// Those whose certificate was seen in use.
    pub(crate) enrolled: BTreeSet<ClusterId>,
    /// Data of the Secrets of one-time tokens, by name.
    pub(crate) one_time: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    pub(crate) bound: BTreeSet<ClusterId>,
    pub(crate) tokens: BTreeMap<ClusterId, String>,
    pub(crate) signed: usize,
    /// How long the last certificate was to last.
    pub(crate) life: Option<Duration>,
}

#[derive(Clone)]
pub(crate) struct TestProvider(Arc<Inner>);

struct Inner {
    authority: TestAuthority,
    token: String,
    kept: Mutex<Kept>,
    failure: Mutex<Option<(&'static str, ProviderError)>>,
    /// A place for each signature that may be made.
    signatures: Semaphore,
    signing: Notify,
}

impl TestProvider {
    pub(crate) fn new() -> Self {
        Self::with(TOKEN, 1000)
    }

    /// Its token, and how many signatures it makes before it waits.
    pub(crate) fn with(token: &str, signatures: usize) -> Self {
        Self(Arc::new(Inner {
            authority: TestAuthority::new(),
            token: token.to_owned(),
            kept: Mutex::default(),
            failure: Mutex::default(),
            signatures: Semaphore::new(signatures),
            signing: Notify::new(),
        }))
    }

    pub(crate) fn authority(&self) -> &TestAuthority {
        &self.0.authority
    }

    pub(crate) fn kept(&self) -> Kept {
        self.0.kept.lock().unwrap().clone()
    }

    /// Changes what is in the cluster.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.0.kept.lock().unwrap());
    }

    /// Keeps a one-time token that ends then.
    pub(crate) fn add_token(&self, secret: &Secret, end: UnixMillis) {
        let content = one_time_token(secret, end, &"liqo".into());
        self.change(|kept| drop(kept.one_time.insert(content.name, content.data)));
    }

    /// The certificate of a cluster is seen in use, as the control plane does.
    pub(crate) fn enrol(&self, cluster: &ClusterId) {
        self.change(|kept| {
            kept.enrolled.insert(cluster.clone());
            let used = |data: &&mut BTreeMap<String, Vec<u8>>| {
                read_one_time_token(data).is_some_and(|token| token.cluster.as_ref() == Some(cluster))
            };
            kept.one_time.values_mut().filter(used).for_each(|data| data.extend(spent()));
        });
    }

    /// Lets a call fail until told otherwise.
    pub(crate) fn fail(&self, failure: Option<(&'static str, ProviderError)>) {
        *self.0.failure.lock().unwrap() = failure;
    }

    /// Waits until a signature is waited for.
    pub(crate) async fn signing(&self) {
        self.0.signing.notified().await;
    }

    /// Lets one signature be made.
    pub(crate) fn allow_signature(&self) {
        self.0.signatures.add_permits(1);
    }

    fn check(&self, call: &str) -> Result<(), ProviderError> {
        self.failure_of(call).map_or(Ok(()), Err)
    }

    fn failure_of(&self, call: &str) -> Option<ProviderError> {
        let failure = self.0.failure.lock().unwrap().clone();
        failure.filter(|(failing, _)| *failing == call).map(|(_, error)| error)
    }
}

impl Kept {
    /// A version is whatever changes with what is kept.
    fn identity(&self, cluster: &ClusterId) -> Option<KeptIdentity> {
        let issued = self.issued.get(cluster)?.clone();
        let enrolled = self.enrolled.contains(cluster);
        let version = format!("{enrolled} {}", issued.certificate);
        Some(KeptIdentity { issued, enrolled, version: version.into() })
    }
}

impl Provider for TestProvider {
    async fn identity(&self) -> Result<Cluster, ProviderError> {
        self.check("identity")?;
        Ok(Cluster { id: "b6625701-6aeb-4c46-a864-bfce47c964c0".into(), name: "milan".into() })
    }

    async fn shared_token(&self) -> Result<Secret, ProviderError> {
        self.check("shared_token")?;
        Ok(Secret::new(self.0.token.as_str()))
    }

    async fn ensure_tenant(&self, cluster: &Cluster) -> Result<NamespaceName, ProviderError> {
        self.check("ensure_tenant")?;
        let name = tenant_namespace_name(&cluster.name, &cluster.id);
        Ok(self.0.kept.lock().unwrap().tenants.entry(cluster.id.clone()).or_insert(name).clone())
    }

    fn now(&self) -> UnixMillis {
        NOW
    }

    async fn one_time_token(&self, name: &str) -> Result<Option<KeptToken>, ProviderError> {
        self.check("one_time_token")?;
        let kept = self.0.kept.lock().unwrap();
        let found = kept.one_time.get(name).and_then(read_one_time_token);
        let version = |token: &crate::OneTimeToken| u64::from(token.cluster.is_some()).to_string();
        Ok(found.map(|token| KeptToken { version: version(&token).into(), token, name: name.to_owned() }))
    }

    async fn bind_token(&self, token: &KeptToken, cluster: &ClusterId) -> Result<bool, ProviderError> {
        self.check("bind_token")?;
        let mut kept = self.0.kept.lock().unwrap();
        let Some(data) = kept.one_time.get_mut(&token.name) else { return Ok(false) };
        let free = read_one_time_token(data).is_some_and(|token| token.cluster.is_none());
        if free {
            data.extend(bound_to(cluster));
        }
        Ok(free)
    }

    async fn issued(&self, tenant: &Tenant) -> Result<Option<KeptIdentity>, ProviderError> {
        self.check("issued")?;
        Ok(self.0.kept.lock().unwrap().identity(&tenant.cluster.id))
    }

    async fn tenant(&self, cluster: &Cluster) -> Result<Option<NamespaceName>, ProviderError> {
        self.check("tenant")?;
        Ok(self.0.kept.lock().unwrap().tenants.get(&cluster.id).cloned())
    }

    async fn sign(
        &self,
        _tenant: &Tenant,
        csr: &str,
        life: Option<Duration>,
    ) -> Result<String, ProviderError> {
        self.check("sign")?;
        self.0.signing.notify_one();
        self.0.signatures.acquire().await.unwrap().forget();
        self.change(|kept| {
            kept.signed += 1;
            kept.life = life;
        });
        Ok(self.0.authority.sign(csr))
    }

    async fn keep_issued(
        &self,
        tenant: &Tenant,
        issued: &Issued,
        over: Option<&ResourceVersion>,
    ) -> Result<KeptIdentity, ProviderError> {
        self.check("keep_issued")?;
        let mut kept = self.0.kept.lock().unwrap();
        let id = &tenant.cluster.id;
        let now = kept.identity(id).map(|identity| identity.version);
        if now.as_ref() == over {
            kept.issued.insert(id.clone(), issued.clone());
        }
        kept.identity(id).ok_or_else(|| ProviderError::Failed { reason: "it is gone".to_owned() })
    }

    async fn bind_basic(&self, tenant: &Tenant) -> Result<(), ProviderError> {
        self.check("bind_basic")?;
        self.0.kept.lock().unwrap().bound.insert(tenant.cluster.id.clone());
        Ok(())
    }

    async fn keep_peer_token(&self, cluster: &Cluster, token: &Secret) -> Result<(), ProviderError> {
        self.check("keep_peer_token")?;
        let token = token.expose().to_owned();
        self.0.kept.lock().unwrap().tokens.insert(cluster.id.clone(), token);
        Ok(())
    }

    async fn api_server(&self) -> Result<ApiServer, ProviderError> {
        self.check("api_server")?;
        let ca = Some(self.0.authority.certificate.clone());
        Ok(ApiServer { url: "172.18.2.1:6443".to_owned(), ca })
    }
}
