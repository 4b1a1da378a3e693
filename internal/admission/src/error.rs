//! What can go wrong while the webhooks are set up. What is wrong with an object is a refusal, which its writer sees.

use liqo_listening::ListenError;
use thiserror::Error;
use tokio_rustls::rustls;

/// Why the webhooks do not run, or not with the certificate that they should have.
#[derive(Debug, Error)]
pub enum Error {
    /// The port was taken and cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A certificate could not be made.
    #[error("no certificate can be made for the webhooks under the names {names}")]
    MakeCertificate {
        /// The names.
        names: String,
        /// Why.
        source: liqo_certificates::Error,
    },
    /// The certificate in the Secret cannot be used.
    #[error(
        "key tls.crt or tls.key of Secret liqo-webhook-certs cannot be read: delete it, and it is made anew"
    )]
    ReadCertificate {
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate in the Secret and its key do not fit.
    #[error(
        "tls.crt and tls.key of Secret liqo-webhook-certs cannot be used: delete it, and they are made anew"
    )]
    UseCertificate {
        /// What is wrong.
        source: rustls::Error,
    },
    /// There is no certificate yet.
    #[error("Secret liqo-webhook-certs has no usable certificate yet: the leader makes one")]
    NoCertificate,
    /// Kubernetes did not do what the certificates need.
    #[error("{what}: {reason}")]
    Store {
        /// What was wanted.
        what: &'static str,
        /// Why it was not done.
        reason: String,
    },
}
