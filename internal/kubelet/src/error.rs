//! What can go wrong for the node itself. What is answered to callers is in `server/reply.rs`.

use thiserror::Error;
use tokio_rustls::rustls;

/// Why something that the node needs could not be done.
#[derive(Debug, Error)]
pub enum Error {
    /// The authority of client certificates cannot be read.
    #[error(
        "client-ca-file of the ConfigMap kube-system/extension-apiserver-authentication holds no certificate that can \
         be used: check it, callers with certificates are judged by what it held before"
    )]
    ReadClientAuthority,
    /// No certificate or request for one can be made.
    #[error("no serving certificate can be made for the node {node}")]
    MakeCertificate {
        /// The node.
        node: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A certificate cannot be served.
    #[error("the serving certificate of the node {node} cannot be used")]
    UseCertificate {
        /// The node.
        node: String,
        /// Why.
        source: rustls::Error,
    },
    /// The API server does not take the request for a certificate.
    #[error(
        "no CertificateSigningRequest can be made for the node {node}: check the ClusterRole of the virtual kubelet"
    )]
    RequestCertificate {
        /// The node.
        node: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The request cannot be watched.
    #[error(
        "the CertificateSigningRequest {name} cannot be watched: check the ClusterRole of the virtual kubelet"
    )]
    WatchRequest {
        /// Name of the request.
        name: String,
        /// Why.
        source: Box<kube::runtime::wait::Error>,
    },
    /// The request was refused, has failed, or is gone.
    #[error("the CertificateSigningRequest {name} was not granted: {reason}")]
    RequestRefused {
        /// Name of the request.
        name: String,
        /// What its conditions say.
        reason: String,
    },
    /// Nobody decided about the request.
    #[error(
        "nobody approved the CertificateSigningRequest {name}: check that liqo-controller-manager runs, or approve it \
         with kubectl certificate approve {name}"
    )]
    RequestUndecided {
        /// Name of the request.
        name: String,
    },
    /// What was issued is no certificate of this node's key.
    #[error("status.certificate of the CertificateSigningRequest {name} is no certificate for its request")]
    ReadCertificate {
        /// Name of the request.
        name: String,
    },
    /// The lease of the node cannot be renewed.
    #[error("the Lease kube-node-lease/{node} cannot be renewed: the node is not ready when this lasts")]
    RenewLease {
        /// The node.
        node: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The API server cannot be asked who a caller is or what it may do.
    #[error("the API server cannot answer a {kind}: check the ClusterRole of the virtual kubelet")]
    Review {
        /// `TokenReview` or `SubjectAccessReview`.
        kind: &'static str,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The API server takes too long to say who a caller is or what it may do.
    #[error("the API server did not answer a {kind} in time")]
    ReviewTimeout {
        /// `TokenReview` or `SubjectAccessReview`.
        kind: &'static str,
    },
}
