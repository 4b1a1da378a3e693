//! What can go wrong while things are set up. What goes wrong with a peer is an [`crate::EnrolError`].

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio_rustls::rustls;

/// Why something could not be set up.
#[derive(Debug, Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for peers: check that nothing else does")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The files hold no certificate or no key.
    #[error("the {what} of the authentication service cannot be read: check that its file is PEM")]
    ReadCertificate {
        /// Certificate or key.
        what: &'static str,
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key cannot be used.
    #[error("the certificate of the authentication service cannot be used: check that the key is its own")]
    UseCertificate {
        /// What is wrong.
        source: rustls::Error,
    },
    /// No certificate can be made.
    #[error("no certificate can be made for the authentication service under the names {names}")]
    MakeCertificate {
        /// The names.
        names: String,
        /// Why.
        source: rcgen::Error,
    },
    /// No TLS client can be made.
    #[error("no TLS client can be made")]
    MakeClient {
        /// Why.
        source: rustls::Error,
    },
    /// No key can be made for the authentication service.
    #[error("no key can be made for the authentication service")]
    MakeAuthKey {
        /// Why.
        source: rcgen::Error,
    },
    /// The key of the authentication service that was kept is none.
    #[error(
        "Secret liqo-auth-key holds no key for the authentication service: delete it, and a new one is made at the next \
         start; tokens that were printed before end with the old one"
    )]
    ReadAuthKey,
    /// The private key that was kept is none of ours.
    #[error(
        "the private key is no Ed25519 key in PKCS #8: delete the Secret that holds it, a new one is made"
    )]
    ReadKey,
    /// No key or certificate signing request can be made.
    #[error("no certificate signing request can be made for {cluster}")]
    MakeRequest {
        /// Whose.
        cluster: String,
        /// Why.
        source: rcgen::Error,
    },
    /// Nothing says where peers reach this API server.
    #[error("no control-plane node has an address for the API server: set --advertise-api-server-address")]
    AdvertiseApiServer,
    /// Nothing says where peers reach this authentication service.
    #[error(
        "peers cannot reach the Service liqo-auth, {reason}: set the annotations {address} and {port} on it"
    )]
    AdvertiseAuth {
        /// What it lacks.
        reason: &'static str,
        /// Annotation for the address.
        address: &'static str,
        /// Annotation for the port.
        port: &'static str,
    },
    /// A Secret with an identity lacks something.
    #[error("the Secret with the identity has no usable {key}: delete it, and a new identity is asked for")]
    ReadIdentity {
        /// Key in the Secret.
        key: &'static str,
    },
}
