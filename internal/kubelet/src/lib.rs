//! The face of a virtual node towards its own cluster: what the API server expects of a kubelet.
//!
//! The API server reaches a kubelet by HTTPS for logs, commands in containers, forwarded ports and figures. [`serve`]
//! answers it and has the peer's API server do the work: names of namespaces and pods are translated by a [`Backend`],
//! and streams are passed on as they are. Callers prove who they are and are judged by the cluster itself
//! ([`Authorizer`]), as with any kubelet.
//!
//! [`CertificateKeeper`] gets the certificate that [`ServingTls`] shows, and [`keep_lease`] says that the node lives.
//!
//! What is decided is pure and beside what waits: paths, queries, attributes for authorization, headers that pass,
//! contents of requests and leases, moments of renewal, figures.

mod access;
mod error;
mod lease;
mod metrics;
mod peer;
mod server;
mod serving;

pub use access::{Attributes, Authorizer, KubeReviewer, Reviewer, User};
pub use error::Error;
pub use lease::{LeaseSettings, keep_lease};
pub use metrics::Metrics;
pub use peer::RemotePod;
pub use server::{Backend, serve};
pub use serving::{CertificateKeeper, CertificateType, ServingIdentity, ServingState, ServingTls};

#[cfg(test)]
mod test_api;
#[cfg(test)]
mod test_authority;
#[cfg(test)]
mod test_reviewer;
