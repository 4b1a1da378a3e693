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
mod pin;
mod renewal;
mod secret;
mod server;
mod token;
mod wire;

pub use address::{AddressKind, NodeFacts, ServiceFacts, ServiceKind, advertised_api_server, home_auth_url};
pub use client::{Application, AuthClient, Disposition, EnrolError, Identity, Target};
pub use cluster::Cluster;
pub use error::Error;
pub use key::PrivateKey;
pub use metrics::Metrics;
pub use objects::{
    IdentityFacts, Issued, ONE_TIME_TOKEN, OneTimeToken, PROVEN_BY, RENEWABLE, SecretContent, approval,
    basic_binding, bound_to, identity_key, identity_secret, is_renewal_due, issued_secret, one_time_token,
    peer_token_secret, read_identity, read_issued, read_one_time_token, signing_request, spent,
};
pub use pin::Pin;
pub use secret::Secret;
pub use server::{
    AUTH_KEY_SECRET, ApiServer, AuthKey, AuthService, KeptIdentity, KeptToken, Listening, PIN_KEY, Provider,
    ProviderError, Settings, Tenant, Transport, read_pin, serve,
};
pub use token::{is_whole, one_time_secret_of, way_back, with_pin};

#[cfg(test)]
mod test_authority;
