//! Identities of clusters at each other's API servers: who may have one, and how one is asked for.
//!
//! A consumer makes a key ([`PrivateKey`]), asks the provider's authentication service for a certificate
//! ([`AuthClient`]) and keeps the answer in a Secret ([`identity_secret`]). A provider serves such requests ([`serve`])
//! with an [`AuthService`], which judges them and has Kubernetes do the rest through the port [`Provider`].
//!
//! The protocol is that of Liqo 0.8.3. What is decided is pure and beside what waits: routes, requests, certificate
//! signing requests, answers, addresses, contents of objects. Tokens and keys are [`Secret`]s, which nothing can show.

mod address;
mod certificate;
mod client;
mod cluster;
mod csr;
mod error;
mod key;
mod metrics;
mod objects;
mod pem_block;
mod secret;
mod server;
mod wire;

pub use address::{AddressKind, NodeFacts, ServiceFacts, ServiceKind, advertised_api_server, home_auth_url};
pub use client::{Application, AuthClient, Disposition, EnrolError, Identity, Target};
pub use cluster::Cluster;
pub use error::Error;
pub use key::PrivateKey;
pub use metrics::Metrics;
pub use objects::{
    IdentityFacts, Issued, SecretContent, approval, basic_binding, identity_secret, issued_secret,
    peer_token_secret, read_identity, read_issued, signing_request,
};
pub use secret::Secret;
pub use server::{
    ApiServer, AuthService, Listening, Provider, ProviderError, Settings, Tenant, Transport, serve,
};

#[cfg(test)]
mod test_authority;
