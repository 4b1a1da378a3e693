//! What a certificate says that matters here.

use liqo_events::UnixMillis;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::pem_block;

/// Label of the PEM block.
pub(crate) const LABEL: &str = "CERTIFICATE";
const MILLIS_PER_SECOND: i64 = 1000;

/// Facts of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFacts {
    /// The first moment at which it is valid.
    pub(crate) not_before: UnixMillis,
    /// The last moment at which it is valid.
    pub(crate) not_after: UnixMillis,
    /// Its serial number, as Kubernetes and OpenSSL show it.
    pub(crate) serial: String,
    /// Its public key, DER.
    pub(crate) public_key: Vec<u8>,
}

/// Reads the first certificate of a PEM bundle; nothing when it is none.
pub(crate) fn read(pem: &[u8]) -> Option<CertificateFacts> {
    let der = pem_block::first(LABEL, pem)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let millis = |seconds: i64| UnixMillis(seconds.saturating_mul(MILLIS_PER_SECOND));
    Some(CertificateFacts {
        not_before: millis(certificate.validity().not_before.timestamp()),
        not_after: millis(certificate.validity().not_after.timestamp()),
        serial: certificate.raw_serial_as_string(),
        public_key: certificate.public_key().raw.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use liqo_events::parse_rfc3339;

    use super::*;
    use crate::PrivateKey;
    use crate::test_authority::TestAuthority;

    #[test]
    fn end_and_key_are_read() {
        let key = PrivateKey::from_seed(&[7; 32]).unwrap_or_else(|_| panic!("a key"));
        let authority = TestAuthority::new();
        let id = "11111111-2222-4333-8444-555555555555".into();
        let certificate = authority.sign(&key.signing_request(&id).unwrap());
        let facts = read(certificate.as_bytes()).unwrap();
        assert_eq!(Some(facts.not_after), parse_rfc3339("2040-01-02T00:00:00Z"));
        assert_eq!(facts.public_key, key.public_key());
        assert_eq!(read(b"nothing"), None);
    }
}
