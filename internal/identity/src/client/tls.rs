//! TLS towards providers: with a certificate that must prove itself, or with any.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::Error;

/// Makes TLS connections to providers. Like Go clients of HTTP/1.1, it offers no protocol by ALPN.
#[derive(Clone)]
pub(super) struct Connectors {
    verifying: TlsConnector,
    trusting: TlsConnector,
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
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|source| Error::MakeClient { source })
        };
        let verifying = builder()?.with_root_certificates(roots).with_no_client_auth();
        let any = Arc::new(AnyCertificate { provider: Arc::clone(&provider) });
        let trusting = builder()?.dangerous().with_custom_certificate_verifier(any).with_no_client_auth();
        let connector = |config| TlsConnector::from(Arc::new(config));
        Ok(Self { verifying: connector(verifying), trusting: connector(trusting) })
    }

    pub(super) fn get(&self, skip_verify: bool) -> &TlsConnector {
        if skip_verify { &self.trusting } else { &self.verifying }
    }
}

/// Accepts every certificate: the ForeignCluster says so. The other end must still own the key of it.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
