//! What can go wrong while clients are made. What goes wrong later is a [`crate::Refusal`].

use liqo_model::ClusterRef;
use thiserror::Error;

/// Why something could not be set up.
#[derive(Debug, Error)]
pub enum Error {
    /// A client cannot be made of what the configuration says.
    #[error("no client for the API server of {cluster}: check its address, certificates and credentials")]
    Configure {
        /// Whose API server.
        cluster: ClusterRef,
        /// What is wrong.
        source: Box<kube::Error>,
    },
    /// The kubeconfig cannot be used.
    #[error(
        "the kubeconfig {path} cannot be used: check that it exists and that its current context is complete"
    )]
    Kubeconfig {
        /// Its path.
        path: String,
        /// What is wrong.
        source: Box<kube::config::KubeconfigError>,
    },
    /// There is no kubeconfig, and this is no pod.
    #[error("no kubeconfig was given and this is no pod: name one with --kubeconfig")]
    NotInCluster {
        /// What is missing.
        source: Box<kube::config::InClusterError>,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {reason}")]
    Entropy {
        /// What it said.
        reason: String,
    },
    /// The key for digests is too short to protect anything.
    #[error(
        "the key for digests has {bytes} bytes and needs {least}: delete the Secret that holds it, a new one is made"
    )]
    DigestKey {
        /// Bytes that it has.
        bytes: usize,
        /// Bytes that it needs.
        least: usize,
    },
}
