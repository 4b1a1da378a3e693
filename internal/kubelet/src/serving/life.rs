//! How long certificates last, and when the next one is asked for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// The next certificate is asked for when this much of the life of one is over.
const PERCENT: i64 = 80;
/// A certificate that is old when it comes, for instance because clocks differ, is not replaced at once for ever.
const SHORTEST: SignedDuration = SignedDuration::from_secs(60);
/// Longest sleep: the wall clock may be set while one sleeps.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_hours(1);

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
}

impl Life {
    /// What a certificate says.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let validity = certificate.validity();
        let begin = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
        let end = Timestamp::from_second(validity.not_after.timestamp()).ok()?;
        Some(Self { begin, end })
    }

    /// When the next one is asked for, when this one came at `now`.
    pub(super) fn renewal(self, now: Timestamp) -> Timestamp {
        let whole = self.end.as_second().saturating_sub(self.begin.as_second()).max(0);
        let part = SignedDuration::from_secs(whole / 100 * PERCENT + whole % 100 * PERCENT / 100);
        let due = self.begin.saturating_add(part).unwrap_or(self.end);
        due.max(now.saturating_add(SHORTEST).unwrap_or(now))
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.end <= now
    }
}

/// How long to sleep before looking at the clock again; nothing when the moment has come.
pub(super) fn nap(now: Timestamp, until: Timestamp) -> Option<Duration> {
    let left = now.duration_until(until).min(LONGEST_SLEEP);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_one_is_asked_for_at_four_fifths() {
        for (begin, end, now, expected) in [
            // The recorded certificate of a node, of a year.
            ("2026-11-22T13:57:35Z", "2027-11-22T13:57:35Z", "2026-11-22T14:02:35Z", "2027-09-10T13:57:35Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T00:05:00Z", "2026-01-01T00:48:00Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            // It is too late already, or the certificate makes no sense.
            ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T00:50:00Z", "2026-01-01T00:51:00Z"),
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-02T00:01:00Z"),
        ] {
            let life = Life { begin: at(begin), end: at(end) };
            assert_eq!(life.renewal(at(now)), at(expected), "{begin} {end} {now}");
        }
    }

    #[test]
    fn nobody_sleeps_long_without_a_look_at_the_clock() {
        let now = at("2026-01-01T00:00:00Z");
        for (until, expected) in [
            ("2026-01-01T00:00:10Z", Some(10)),
            ("2027-01-01T00:00:00Z", Some(3600)),
            ("2026-01-01T00:00:00Z", None),
            ("2025-01-01T00:00:00Z", None),
        ] {
            assert_eq!(nap(now, at(until)), expected.map(Duration::from_secs), "{until}");
        }
    }

    #[test]
    fn a_certificate_says_how_long_it_lasts() {
        let authority = crate::test_authority::TestAuthority::new("a");
        let (certificate, _) = authority.server("127.0.0.1");
        let expected = Life { begin: at("2020-01-01T00:00:00Z"), end: at("2040-01-02T00:00:00Z") };
        assert_eq!(Life::of(&certificate), Some(expected));
        assert!(expected.is_over(expected.end) && !expected.is_over(expected.begin));
        assert_eq!(Life::of(&b"junk".to_vec().into()), None);
    }
}
