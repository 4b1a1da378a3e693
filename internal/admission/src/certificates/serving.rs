//! The certificate that new connections get.

use std::sync::Arc;

use liqo_certificates::Pair;
use liqo_events::UnixMillis;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::kept::ends;
use crate::Error;

/// The only protocol that is spoken: a connection of HTTP/2 would let one client ask any number of questions at a time.
const PROTOCOL: &[u8] = b"http/1.1";

/// A certificate in use; none at the beginning.
#[derive(Clone, Default)]
pub(crate) struct Serving {
    certificate: String,
    config: Option<Arc<ServerConfig>>,
}

impl Serving {
    /// Uses a certificate, followed by those between it and its authority, and its key.
    pub(super) fn new(pair: &Pair) -> Result<Self, Error> {
        if pair.certificate.is_empty() {
            return Err(Error::NoCertificate);
        }
        let read = |source| Error::ReadCertificate { source };
        let certificates = CertificateDer::pem_slice_iter(pair.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(read)?;
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(read)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|source| Error::UseCertificate { source })?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self { certificate: pair.certificate.clone(), config: Some(Arc::new(config)) })
    }

    pub(crate) fn config(&self) -> Option<Arc<ServerConfig>> {
        self.config.clone()
    }

    /// Whether it uses this certificate.
    pub(super) fn uses(&self, pair: &Pair) -> bool {
        self.config.is_some() && self.certificate == pair.certificate
    }

    /// When it ends.
    pub(super) fn end(&self) -> Option<UnixMillis> {
        ends(&self.certificate)
    }
}
