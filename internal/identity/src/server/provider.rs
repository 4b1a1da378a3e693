//! What the authentication service needs from the cluster that it is part of.

use std::future::Future;
use std::time::Duration;

use liqo_events::UnixMillis;
use liqo_model::{ClusterId, NamespaceName, ResourceVersion};
use thiserror::Error;

use crate::{Cluster, Issued, OneTimeToken, Secret};

/// A peer, and the namespace that is its own in this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The peer.
    pub cluster: Cluster,
    /// Its namespace.
    pub namespace: NamespaceName,
}

/// What was issued to a tenant, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptIdentity {
    /// The certificate.
    pub issued: Issued,
    /// Whether it is in use: a token gets the tenant no other one.
    pub enrolled: bool,
    /// Which version of it this is.
    pub version: ResourceVersion,
}

/// A one-time token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptToken {
    /// The token.
    pub token: OneTimeToken,
    /// Name of what keeps it.
    pub name: String,
    /// Which version of it this is.
    pub version: ResourceVersion,
}

/// Where peers reach the API server of this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiServer {
    /// Its URL.
    pub url: String,
    /// The certificates of its authority, PEM; nothing when everybody trusts them anyway.
    pub ca: Option<String>,
}

/// Why Kubernetes did not do something. The reasons are for the log of this cluster: peers never see them. Neither may
/// hold tokens, keys or requests.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// The API server will not do it, however often it is asked.
    #[error("the API server refused it: {reason}")]
    Denied {
        /// What it said.
        reason: String,
    },
    /// It may be done later.
    #[error("it could not be done: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
}

/// The cluster that gives identities to its peers. Every call may be repeated and then has its effect once; every call may
/// be dropped at any await, because the peer went away or it took too long.
pub trait Provider: Send + Sync + 'static {
    /// This cluster's own ID and name. Strangers can cause this call at will: answer it from memory.
    fn identity(&self) -> impl Future<Output = Result<Cluster, ProviderError>> + Send;

    /// The token that peers need, also asked for at the will of strangers; empty when there is none yet, and then nobody is let in.
    fn shared_token(&self) -> impl Future<Output = Result<Secret, ProviderError>> + Send;

    /// The time, by which tokens end.
    fn now(&self) -> UnixMillis;

    /// The one-time token that is kept under a name. Strangers can ask for names at will, though none that exists.
    fn one_time_token(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<KeptToken>, ProviderError>> + Send;

    /// Binds a token that nobody used to the cluster that does now; false when it is not as it was any more.
    fn bind_token(
        &self,
        token: &KeptToken,
        cluster: &ClusterId,
    ) -> impl Future<Output = Result<bool, ProviderError>> + Send;

    /// The namespace of a peer, found by its label or made.
    fn ensure_tenant(
        &self,
        cluster: &Cluster,
    ) -> impl Future<Output = Result<NamespaceName, ProviderError>> + Send;

    /// The namespace of a peer if it has one. Strangers can cause this call and the next one at will.
    fn tenant(
        &self,
        cluster: &Cluster,
    ) -> impl Future<Output = Result<Option<NamespaceName>, ProviderError>> + Send;

    /// What was issued to a tenant.
    fn issued(
        &self,
        tenant: &Tenant,
    ) -> impl Future<Output = Result<Option<KeptIdentity>, ProviderError>> + Send;

    /// The certificate, PEM, for a request, PEM, that was checked: a CertificateSigningRequest is made and approved, and
    /// its certificate waited for, 30 seconds at most. It ends after `life`, or when the signer wants it to.
    fn sign(
        &self,
        tenant: &Tenant,
        csr: &str,
        life: Option<Duration>,
    ) -> impl Future<Output = Result<String, ProviderError>> + Send;

    /// Keeps what was issued to a tenant in the place of that version, or of nothing, unless something else is kept by now;
    /// returns what is kept now.
    fn keep_issued(
        &self,
        tenant: &Tenant,
        issued: &Issued,
        over: Option<&ResourceVersion>,
    ) -> impl Future<Output = Result<KeptIdentity, ProviderError>> + Send;

    /// Gives a tenant what every peer with an identity may do.
    fn bind_basic(&self, tenant: &Tenant) -> impl Future<Output = Result<(), ProviderError>> + Send;

    /// Keeps the token that a peer gave, in place of an earlier one.
    fn keep_peer_token(
        &self,
        cluster: &Cluster,
        token: &Secret,
    ) -> impl Future<Output = Result<(), ProviderError>> + Send;

    /// Where peers reach the API server.
    fn api_server(&self) -> impl Future<Output = Result<ApiServer, ProviderError>> + Send;
}
