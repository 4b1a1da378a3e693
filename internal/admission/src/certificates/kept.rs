//! What Secret `liqo-webhook-certs` holds, and whether it still serves.
//!
//! Keys `ca`, `tls.crt` and `tls.key` are those of Liqo 0.8.3, whose authority has no key: it is replaced, and trusted as
//! long as it lasts, so that replicas of both versions are believed while one takes the other's place.

use std::collections::BTreeMap;

use liqo_certificates::Pair;
use liqo_events::UnixMillis;
use rcgen::{KeyPair, PublicKeyData as _};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use super::serving::Serving;

const AUTHORITY: &str = "ca";
const AUTHORITY_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const PREVIOUS: &str = "previous.crt";

const MILLIS_PER_SECOND: i64 = 1000;
/// Certificates are replaced in the last third of their life, so that there is time when something is in the way.
const REPLACE_AFTER_THIRDS: i64 = 2;

/// What has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Nothing.
    Nothing,
    /// The certificate.
    Certificate,
    /// The authority, and with it the certificate.
    Authority,
}

/// The content of the Secret: what is missing is empty.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) authority: Pair,
    pub(super) serving: Pair,
    /// The authority before this one, PEM.
    previous: String,
}

impl Kept {
    pub(super) fn read(data: &BTreeMap<String, Vec<u8>>) -> Self {
        let text = |key: &str| {
            data.get(key).and_then(|bytes| String::from_utf8(bytes.clone()).ok()).unwrap_or_default()
        };
        Self {
            authority: Pair { certificate: text(AUTHORITY), key: text(AUTHORITY_KEY) },
            serving: Pair { certificate: text(CERTIFICATE), key: text(KEY) },
            previous: text(PREVIOUS),
        }
    }

    pub(super) fn data(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = [
            (AUTHORITY, &self.authority.certificate),
            (AUTHORITY_KEY, &self.authority.key),
            (CERTIFICATE, &self.serving.certificate),
            (KEY, &self.serving.key),
            (PREVIOUS, &self.previous),
        ];
        entries.map(|(key, text)| (key.to_owned(), text.clone().into_bytes())).into()
    }

    /// With another authority, and this one trusted beside it.
    pub(super) fn succeeded_by(&self, authority: Pair) -> Self {
        Self { authority, previous: self.authority.certificate.clone(), serving: self.serving.clone() }
    }

    /// Everything that API servers have to trust now, PEM.
    pub(super) fn bundle(&self, now: UnixMillis) -> String {
        let previous = Some(&self.previous).filter(|previous| ends(previous).is_some_and(|end| end > now));
        format!("{}{}", self.authority.certificate, previous.map_or("", String::as_str))
    }

    /// What has to be made anew for a server with these names.
    pub(super) fn renewal(&self, names: &[String], now: UnixMillis) -> Renewal {
        let Some(authority) = pem(&self.authority.certificate) else { return Renewal::Authority };
        let Ok(authority) = authority.parse_x509() else { return Renewal::Authority };
        if !(is_young(&authority, now) && authority.is_ca() && has_key(&authority, &self.authority.key)) {
            return Renewal::Authority;
        }
        let Some(serving) = pem(&self.serving.certificate) else { return Renewal::Certificate };
        let Ok(serving) = serving.parse_x509() else { return Renewal::Certificate };
        let is_good = is_young(&serving, now)
            && serving.verify_signature(Some(authority.public_key())).is_ok()
            && names.iter().all(|name| is_for(&serving, name))
            && Serving::new(&self.serving).is_ok();
        if is_good { Renewal::Nothing } else { Renewal::Certificate }
    }
}

/// When the first certificate of a text ends; nothing when it is none.
pub(super) fn ends(text: &str) -> Option<UnixMillis> {
    let pem = pem(text)?;
    let certificate = pem.parse_x509().ok()?;
    Some(millis(certificate.validity().not_after.timestamp()))
}

fn pem(text: &str) -> Option<Pem> {
    x509_parser::pem::parse_x509_pem(text.as_bytes()).ok().map(|(_, pem)| pem)
}

fn millis(seconds: i64) -> UnixMillis {
    UnixMillis(seconds.saturating_mul(MILLIS_PER_SECOND))
}

/// Also a clock that was put right can make a certificate one of the future.
fn is_young(certificate: &X509Certificate<'_>, now: UnixMillis) -> bool {
    let validity = certificate.validity();
    let (begin, end) = (millis(validity.not_before.timestamp()), millis(validity.not_after.timestamp()));
    let renew = begin.0.saturating_add(end.0.saturating_sub(begin.0) / 3 * REPLACE_AFTER_THIRDS);
    (begin.0..renew).contains(&now.0)
}

fn has_key(certificate: &X509Certificate<'_>, key: &str) -> bool {
    KeyPair::from_pem(key).is_ok_and(|key| key.subject_public_key_info() == certificate.public_key().raw)
}

fn is_for(certificate: &X509Certificate<'_>, name: &str) -> bool {
    let names = certificate.subject_alternative_name().ok().flatten();
    names.is_some_and(|names| {
        names
            .value
            .general_names
            .iter()
            .any(|known| matches!(known, GeneralName::DNSName(known) if *known == name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::authority::{issue, make_authority};
    use crate::certificates::service_names;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const DAY: u64 = 24 * 3600 * 1000;

    fn kept() -> Kept {
        let authority = make_authority(NOW).unwrap();
        let serving = issue(&authority, &service_names("liqo"), NOW).unwrap();
        Kept { authority, serving, previous: String::new() }
    }

    fn renewal(kept: &Kept, days: u64) -> Renewal {
        kept.renewal(&service_names("liqo"), NOW.plus(days * DAY))
    }

    #[test]
    fn certificates_are_renewed_in_the_last_third_of_their_lives() {
        let kept = kept();
        assert_eq!(renewal(&kept, 0), Renewal::Nothing);
        assert_eq!(renewal(&kept, 58), Renewal::Nothing);
        assert_eq!(renewal(&kept, 61), Renewal::Certificate);
        assert_eq!(renewal(&kept, 240), Renewal::Certificate);
        assert_eq!(renewal(&kept, 245), Renewal::Authority);
        let before = UnixMillis(NOW.0.saturating_sub_unsigned(3 * DAY));
        assert_eq!(kept.renewal(&service_names("liqo"), before), Renewal::Authority);
    }

    #[test]
    fn the_secret_is_read_as_it_was_written() {
        let kept = kept();
        let read = Kept::read(&kept.data());
        assert_eq!(renewal(&read, 0), Renewal::Nothing);
        assert_eq!(read.data(), kept.data());
        assert_eq!(renewal(&Kept::read(&BTreeMap::new()), 0), Renewal::Authority);
    }

    #[test]
    fn what_does_not_fit_is_made_anew() {
        let (good, other) = (kept(), kept());
        let with = |change: &dyn Fn(&mut Kept)| {
            let mut kept = good.clone();
            change(&mut kept);
            renewal(&kept, 0)
        };
        // The Secret that Liqo 0.8.3 leaves has no key of its authority.
        assert_eq!(with(&|kept| kept.authority.key.clear()), Renewal::Authority);
        assert_eq!(with(&|kept| kept.authority.key = other.authority.key.clone()), Renewal::Authority);
        assert_eq!(with(&|kept| kept.authority.certificate = "garbage".to_owned()), Renewal::Authority);
        assert_eq!(with(&|kept| kept.authority = kept.serving.clone()), Renewal::Authority);
        assert_eq!(with(&|kept| kept.authority = other.authority.clone()), Renewal::Certificate);
        assert_eq!(with(&|kept| kept.serving.key = other.serving.key.clone()), Renewal::Certificate);
        assert_eq!(with(&|kept| kept.serving.key.clear()), Renewal::Certificate);
        assert_eq!(with(&|kept| kept.serving.certificate = "garbage".to_owned()), Renewal::Certificate);
        assert_eq!(good.renewal(&service_names("elsewhere"), NOW), Renewal::Certificate);
    }

    #[test]
    fn the_authority_before_is_trusted_until_it_ends() {
        let first = kept();
        let second = first.succeeded_by(make_authority(NOW.plus(250 * DAY)).unwrap());
        let count = |days: u64| second.bundle(NOW.plus(days * DAY)).matches("BEGIN CERTIFICATE").count();
        assert_eq!((count(250), count(370)), (2, 1));
        let garbage = Kept { previous: "garbage".to_owned(), ..first.clone() };
        assert_eq!(garbage.bundle(NOW), first.authority.certificate);
    }
}
