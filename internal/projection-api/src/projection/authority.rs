//! Certificates of the projection stream: an authority of our own, and what it issues to the server.
//!
//! Agents trust this authority and nothing else for the stream. Its key is a Secret that only the controller manager
//! reads; its certificate is published. A certificate of the server lives in memory and is made anew every day.

use liqo_certificates::{self as certificates, DAY_MILLIS, Pair, Term};
use liqo_events::UnixMillis;
use thiserror::Error;

use super::TlsPem;

const AUTHORITY: &str = "liqo-fabric authority";
const SERVER: &str = "liqo-fabric";
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
        source: certificates::Error,
    },
    /// Making one failed.
    #[error("no certificate can be made")]
    Make {
        /// Why.
        source: certificates::Error,
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
        let made = certificates::Authority::make(AUTHORITY, Term { made: now, days: AUTHORITY_DAYS });
        let Pair { certificate, key } = made.map_err(|source| AuthorityError::Make { source })?;
        Ok(Self { certificate, key, made_at: now })
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
        let authority = certificates::Authority::of_key(AUTHORITY, &self.key)
            .map_err(|source| AuthorityError::Stored { source })?;
        let issued = authority.issue(SERVER, names, Term { made: now, days: SERVER_DAYS });
        let Pair { certificate, key } = issued.map_err(|source| AuthorityError::Make { source })?;
        Ok(TlsPem { certificates: certificate, key })
    }
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
