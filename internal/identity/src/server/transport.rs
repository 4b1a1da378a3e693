//! How peers connect: TLS with a certificate, or plain TCP behind something that ends TLS.

use std::sync::Arc;

use liqo_certificates::{Term, self_signed};
use liqo_events::UnixMillis;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// As in Liqo 0.8.3.
const ORGANIZATION: &str = "Liqo";
/// A certificate of our own is as old as those of Liqo 0.8.3 can get. Nobody checks its end: it proves nothing but that
/// both ends of a connection are the same all along.
const SELF_SIGNED_DAYS: u64 = 365;
/// The only protocol that is spoken.
const PROTOCOL: &[u8] = b"http/1.1";

/// How peers connect.
#[derive(Clone)]
pub enum Transport {
    /// Without TLS: tokens are readable on the way, unless something in front ends TLS.
    Plain,
    /// With TLS.
    Tls(TlsAcceptor),
}

impl Transport {
    /// TLS with this certificate, followed by those between it and its authority, and its key; PEM.
    ///
    /// # Errors
    ///
    /// [`Error::ReadCertificate`], [`Error::UseCertificate`].
    pub fn tls(certificates: &[u8], key: &[u8]) -> Result<Self, Error> {
        let certificates = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| Error::ReadCertificate { what: "certificate", source })?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|source| Error::ReadCertificate { what: "private key", source })?;
        Self::of(certificates, key)
    }

    /// TLS with a new certificate that nobody vouches for, under these DNS names or addresses.
    ///
    /// # Errors
    ///
    /// [`Error::MakeCertificate`], [`Error::ReadCertificate`], [`Error::UseCertificate`].
    pub fn self_signed(names: &[String], now: UnixMillis) -> Result<Self, Error> {
        let term = Term { made: now, days: SELF_SIGNED_DAYS };
        let made = self_signed(ORGANIZATION, names, term)
            .map_err(|source| Error::MakeCertificate { names: names.join(", "), source })?;
        Self::tls(made.certificate.as_bytes(), made.key.as_bytes())
    }

    fn of(certificates: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|source| Error::UseCertificate { source })?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self::Tls(TlsAcceptor::from(Arc::new(config))))
    }
}
