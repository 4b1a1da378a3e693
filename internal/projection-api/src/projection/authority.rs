//! Certificates of the projection stream: an authority of our own, and what it issues to the server.
//!
//! Agents trust this authority and nothing else for the stream. Its key is a Secret that only the controller manager
//! reads; its certificate is published. A certificate of the server lives in memory and is made anew every day.

use liqo_events::{UnixMillis, rfc3339_seconds};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use thiserror::Error;

use super::TlsPem;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
/// An authority lives a year.
const AUTHORITY_DAYS: u64 = 365;
/// It is replaced in its last third, so that a month without the controller manager ends no stream.
const REPLACE_AFTER_DAYS: u64 = AUTHORITY_DAYS * 2 / 3;
/// A certificate of the server lives a week, and is made anew each day: a clock may be wrong by days.
const SERVER_DAYS: u64 = 7;

/// A certificate could not be made.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// The key or certificate that is stored cannot be used.
    #[error(
        "the authority of the projection stream cannot be used: delete its Secret, and a new one is made"
    )]
    Stored {
        /// What is wrong with it.
        source: rcgen::Error,
    },
    /// Making one failed.
    #[error("no certificate can be made")]
    Make {
        /// Why.
        source: rcgen::Error,
    },
}

/// An authority: its certificate for everybody, its key for nobody else.
#[derive(Clone)]
pub struct Authority {
    /// PEM.
    pub certificate: String,
    /// PEM; secret.
    pub key: String,
    /// When it was made.
    pub made_at: UnixMillis,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Make`].
    pub fn new(now: UnixMillis) -> Result<Self, AuthorityError> {
        let make = |source| AuthorityError::Make { source };
        let parameters = authority_parameters(now).map_err(make)?;
        let key = KeyPair::generate().map_err(make)?;
        let certificate = parameters.self_signed(&key).map_err(make)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem(), made_at: now })
    }

    /// Whether it is time for another one.
    pub fn is_old(&self, now: UnixMillis) -> bool {
        now.since(self.made_at) >= REPLACE_AFTER_DAYS * DAY_MILLIS
    }

    /// A certificate for the server, under these names.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn issue(&self, names: &[String], now: UnixMillis) -> Result<TlsPem, AuthorityError> {
        let stored = |source| AuthorityError::Stored { source };
        let make = |source| AuthorityError::Make { source };
        let authority_key = KeyPair::from_pem(&self.key).map_err(stored)?;
        // What a certificate takes from its issuer is name and key, which do not change: no need to parse the stored one.
        let issuer = Issuer::new(authority_parameters(self.made_at).map_err(stored)?, authority_key);
        let mut parameters = parameters(now, SERVER_DAYS, names.to_vec()).map_err(make)?;
        parameters.distinguished_name.push(DnType::CommonName, "liqo-fabric");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(make)?;
        let certificate = parameters.signed_by(&key, &issuer).map_err(make)?;
        Ok(TlsPem { certificates: certificate.pem(), key: key.serialize_pem() })
    }
}

fn authority_parameters(now: UnixMillis) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = parameters(now, AUTHORITY_DAYS, Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, "liqo-fabric authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn parameters(now: UnixMillis, days: u64, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names)?;
    // A day back: the clocks of nodes differ.
    let (year, month, day) = date(UnixMillis(now.0 - i64::try_from(DAY_MILLIS).unwrap_or_default()));
    parameters.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus(days * DAY_MILLIS));
    parameters.not_after = date_time_ymd(year, month, day);
    Ok(parameters)
}

fn date(at: UnixMillis) -> (i32, u8, u8) {
    let text = rfc3339_seconds(at);
    let mut parts = text.split(['-', 'T']);
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().unwrap_or(1970), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    #[test]
    fn a_server_gets_a_certificate_of_its_authority() {
        let authority = Authority::new(NOW).unwrap();
        let tls = authority.issue(&["liqo-fabric.liqo.svc".to_owned()], NOW).unwrap();
        assert!(tls.certificates.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_ne!(tls.certificates, authority.certificate);
    }

    #[test]
    fn an_authority_is_replaced_in_its_last_third() {
        let authority = Authority::new(NOW).unwrap();
        assert!(!authority.is_old(NOW.plus((REPLACE_AFTER_DAYS - 1) * DAY_MILLIS)));
        assert!(authority.is_old(NOW.plus(REPLACE_AFTER_DAYS * DAY_MILLIS)));
    }

    #[test]
    fn a_damaged_key_is_an_error_and_no_panic() {
        let mut authority = Authority::new(NOW).unwrap();
        authority.key = "no key".to_owned();
        assert!(matches!(authority.issue(&[], NOW), Err(AuthorityError::Stored { .. })));
    }
}
