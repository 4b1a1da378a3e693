//! How peers connect: TLS with a certificate, or plain TCP behind something that ends TLS.

use std::sync::Arc;

use liqo_events::{UnixMillis, rfc3339_seconds};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
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
    /// [`Error::MakeCertificate`], [`Error::UseCertificate`].
    pub fn self_signed(names: &[String], now: UnixMillis) -> Result<Self, Error> {
        let failed = |source| Error::MakeCertificate { names: names.join(", "), source };
        let mut parameters = CertificateParams::new(names.to_vec()).map_err(failed)?;
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, "Liqo");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // A day back: clocks differ.
        let (year, month, day) = date(UnixMillis(now.0.saturating_sub_unsigned(DAY_MILLIS)));
        parameters.not_before = date_time_ymd(year, month, day);
        let (year, month, day) = date(now.plus(SELF_SIGNED_DAYS * DAY_MILLIS));
        parameters.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self::of(vec![certificate.der().clone()], key.into())
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

/// Year, month and day of a moment.
fn date(at: UnixMillis) -> (i32, u8, u8) {
    let text = rfc3339_seconds(at);
    let mut parts = text.split(['-', 'T']);
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().unwrap_or(1970), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
}
