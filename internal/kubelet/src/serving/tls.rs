//! TLS of the node: a certificate that can be replaced while connections exist, and clients that may show theirs.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rcgen::KeyPair;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error as TlsError, ServerConfig, SignatureScheme,
};

use super::ServingIdentity;
use crate::Error;

/// The only protocol that is spoken: streams need upgrades, which HTTP/2 has not.
const PROTOCOL: &[u8] = b"http/1.1";

/// TLS of the node. Clones show the same certificate.
#[derive(Clone)]
pub struct ServingTls {
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    identity: ServingIdentity,
}

impl ServingTls {
    /// Shows a new certificate that nobody vouches for, until a [`crate::CertificateKeeper`] has a better one.
    ///
    /// # Errors
    ///
    /// [`Error::MakeCertificate`], [`Error::UseCertificate`].
    pub fn self_signed(identity: ServingIdentity, now: Timestamp) -> Result<Self, Error> {
        let key = identity.key()?;
        let certificate = identity.self_signed(&key, now)?;
        let shown = Arc::new(Shown(RwLock::new(certified(&identity, vec![certificate], &key)?)));
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(AnyClient(Arc::clone(&provider)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| Error::UseCertificate { node: identity.node.clone(), source })?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&shown) as Arc<_>);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self { shown, acceptor: TlsAcceptor::from(Arc::new(config)), identity })
    }

    pub(super) fn identity(&self) -> &ServingIdentity {
        &self.identity
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Shows another certificate, of this key, in handshakes from now on.
    pub(super) fn show(&self, chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Result<(), Error> {
        let certified = certified(&self.identity, chain, key)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    /// Shows a new certificate.
    #[cfg(test)]
    pub(crate) fn renew_for_test(&self) {
        let key = self.identity.key().unwrap();
        self.show(vec![self.identity.self_signed(&key, Timestamp::now()).unwrap()], &key).unwrap();
    }

    /// The certificate that is shown now.
    pub(crate) fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.shown.current().cert.first().cloned()
    }
}

impl fmt::Debug for ServingTls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ServingTls").field("identity", &self.identity).finish_non_exhaustive()
    }
}

fn certified(
    identity: &ServingIdentity,
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
) -> Result<Arc<CertifiedKey>, Error> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    CertifiedKey::from_der(chain, key.into(), &ring::default_provider())
        .map(Arc::new)
        .map_err(|source| Error::UseCertificate { node: identity.node.clone(), source })
}

/// What is shown to everybody, whatever name they ask for: the API server asks for an address.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// Lets clients show any certificate or none, as long as they have its key. Whether it counts is judged with each request:
/// who shows one that does not may still have a token, and gets an answer in words.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
