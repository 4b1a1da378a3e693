//! A provider in memory, which issues real certificates and can be told to fail or to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use liqo_model::{ClusterId, NamespaceName, tenant_namespace_name};
use tokio::sync::{Notify, Semaphore};

use super::{ApiServer, Provider, ProviderError, Tenant};
use crate::test_authority::TestAuthority;
use crate::{Cluster, Issued, Secret};

pub(crate) const TOKEN: &str = "canary-token-of-this-cluster";

/// What is in the cluster.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) tenants: BTreeMap<ClusterId, NamespaceName>,
    pub(crate) issued: BTreeMap<ClusterId, Issued>,
    pub(crate) bound: BTreeSet<ClusterId>,
    pub(crate) tokens: BTreeMap<ClusterId, String>,
    pub(crate) signed: usize,
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

    async fn issued(&self, tenant: &Tenant) -> Result<Option<Issued>, ProviderError> {
        self.check("issued")?;
        Ok(self.0.kept.lock().unwrap().issued.get(&tenant.cluster.id).cloned())
    }

    async fn sign(&self, _tenant: &Tenant, csr: &str) -> Result<String, ProviderError> {
        self.check("sign")?;
        self.0.signing.notify_one();
        self.0.signatures.acquire().await.unwrap().forget();
        self.0.kept.lock().unwrap().signed += 1;
        Ok(self.0.authority.sign(csr))
    }

    async fn keep_issued(&self, tenant: &Tenant, issued: &Issued) -> Result<Issued, ProviderError> {
        self.check("keep_issued")?;
        let mut kept = self.0.kept.lock().unwrap();
        Ok(kept.issued.entry(tenant.cluster.id.clone()).or_insert_with(|| issued.clone()).clone())
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
