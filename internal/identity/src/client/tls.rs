//! TLS towards providers: with the key that a token tells, with a certificate that must prove itself, or with any.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, Error as TlsError, RootCertStore, WantsVerifier};

use super::pinned::KeyAlone;
use crate::{Error, Pin};

/// Makes TLS connections to providers. Like Go clients of HTTP/1.1, it offers no protocol by ALPN.
#[derive(Clone)]
pub(super) struct Connectors {
    provider: Arc<CryptoProvider>,
    verifying: TlsConnector,
}

impl Connectors {
    /// Certificates prove themselves by the roots of the system and these, PEM. A system without roots is common in
    /// containers: then only those that were given count.
    pub(super) fn new(more_roots: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in CertificateDer::pem_slice_iter(more_roots) {
            let root = root.map_err(|source| Error::ReadCertificate { what: "root certificate", source })?;
            roots.add(root).map_err(|source| Error::MakeClient { source })?;
        }
        let provider = Arc::new(ring::default_provider());
        let config = builder(&provider).map_err(|source| Error::MakeClient { source })?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { provider, verifying: TlsConnector::from(Arc::new(config)) })
    }

    /// For one connection. A pin proves more than any root, so with one nothing else counts.
    pub(super) fn get(&self, pin: Option<Pin>, skip_verify: bool) -> Result<TlsConnector, TlsError> {
        if pin.is_none() && !skip_verify {
            return Ok(self.verifying.clone());
        }
        let verifier = Arc::new(KeyAlone { provider: Arc::clone(&self.provider), pin });
        let config = builder(&self.provider)?;
        let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()
}
