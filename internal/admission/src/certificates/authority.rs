//! Making certificates: pure but for the random numbers in keys.

use liqo_events::{UnixMillis, rfc3339_seconds};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::Error;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
/// An authority lives a year. What takes its place is trusted before it is used.
const AUTHORITY_DAYS: u64 = 365;
/// A certificate lives a quarter of a year: long enough for a cluster that is off for weeks.
const CERTIFICATE_DAYS: u64 = 90;

/// A certificate with its key, PEM. Neither shown nor compared: the key is secret.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// A new authority.
pub(super) fn make_authority(now: UnixMillis) -> Result<Pair, Error> {
    let failed = |source| Error::MakeCertificate { names: "of an authority".to_owned(), source };
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = authority(now).and_then(|parameters| parameters.self_signed(&key)).map_err(failed)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A certificate of this authority for a server with these names.
pub(super) fn issue(by: &Pair, names: &[String], now: UnixMillis) -> Result<Pair, Error> {
    let failed = |source| Error::MakeCertificate { names: names.join(", "), source };
    // What a certificate takes from its issuer is name and key, so the stored one need not be read.
    let issuer = authority(now)
        .and_then(|parameters| KeyPair::from_pem(&by.key).map(|key| Issuer::new(parameters, key)))
        .map_err(failed)?;
    let mut parameters = lasting(CERTIFICATE_DAYS, names.to_vec(), now).map_err(failed)?;
    parameters.distinguished_name.push(DnType::CommonName, "liqo-webhook");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = parameters.signed_by(&key, &issuer).map_err(failed)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn authority(now: UnixMillis) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = lasting(AUTHORITY_DAYS, Vec::new(), now)?;
    parameters.distinguished_name.push(DnType::CommonName, "liqo-webhook authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(parameters)
}

fn lasting(days: u64, names: Vec<String>, now: UnixMillis) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = DistinguishedName::new();
    // A day back: the clocks of nodes differ.
    let (year, month, day) = date(UnixMillis(now.0.saturating_sub_unsigned(DAY_MILLIS)));
    parameters.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus(days * DAY_MILLIS));
    parameters.not_after = date_time_ymd(year, month, day);
    Ok(parameters)
}

/// Year, month and day of a moment.
fn date(at: UnixMillis) -> (i32, u8, u8) {
    let text = rfc3339_seconds(at);
    let mut parts = text.split(['-', 'T']);
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().unwrap_or(1970), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
}
