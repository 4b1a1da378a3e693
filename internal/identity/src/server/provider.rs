//! What the authentication service needs from the cluster that it is part of.

use std::future::Future;

use liqo_model::NamespaceName;
use thiserror::Error;

use crate::{Cluster, Issued, Secret};

/// A peer, and the namespace that is its own in this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The peer.
    pub cluster: Cluster,
    /// Its namespace.
    pub namespace: NamespaceName,
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

    /// The namespace of a peer, found by its label or made.
    fn ensure_tenant(
        &self,
        cluster: &Cluster,
    ) -> impl Future<Output = Result<NamespaceName, ProviderError>> + Send;

    /// What was issued to a tenant.
    fn issued(&self, tenant: &Tenant) -> impl Future<Output = Result<Option<Issued>, ProviderError>> + Send;

    /// The certificate, PEM, for a request, PEM, that was checked: a CertificateSigningRequest is made and approved, and
    /// its certificate waited for, 30 seconds at most.
    fn sign(&self, tenant: &Tenant, csr: &str) -> impl Future<Output = Result<String, ProviderError>> + Send;

    /// Keeps what was issued to a tenant, unless something is kept already; returns what is kept now.
    fn keep_issued(
        &self,
        tenant: &Tenant,
        issued: &Issued,
    ) -> impl Future<Output = Result<Issued, ProviderError>> + Send;

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
