//! From when to when a certificate is valid.

use liqo_events::{UnixMillis, rfc3339_seconds};
use rcgen::{CertificateParams, DistinguishedName, Error, date_time_ymd};

/// Milliseconds of a day.
pub const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// How long a certificate lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When it is made; it counts from the midnight before the same time of the day before.
    pub made: UnixMillis,
    /// Days until it ends, at the midnight before.
    pub days: u64,
}

impl Term {
    /// Parameters of a certificate under these DNS names or addresses, whose owner has no name yet.
    pub(crate) fn parameters(self, names: &[String]) -> Result<CertificateParams, Error> {
        let mut parameters = CertificateParams::new(names.to_vec())?;
        parameters.distinguished_name = DistinguishedName::new();
        let (year, month, day) = date(UnixMillis(self.made.0.saturating_sub_unsigned(DAY_MILLIS)));
        parameters.not_before = date_time_ymd(year, month, day);
        let (year, month, day) = date(self.made.plus(self.days.saturating_mul(DAY_MILLIS)));
        parameters.not_after = date_time_ymd(year, month, day);
        Ok(parameters)
    }
}

/// Year, month and day of a moment.
fn date(at: UnixMillis) -> (i32, u8, u8) {
    let text = rfc3339_seconds(at);
    let mut parts = text.split(['-', 'T']);
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().unwrap_or(1970), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_dates() {
        for (at, expected) in [
            (0, (1970, 1, 1)),
            (951_782_399_999, (2000, 2, 28)),
            (951_782_400_000, (2000, 2, 29)),
            (1_795_000_000_000, (2026, 11, 18)),
        ] {
            assert_eq!(date(UnixMillis(at)), expected, "{at}");
        }
    }

    #[test]
    fn a_term_begins_a_day_before_it_was_made_and_ends_in_time() {
        let term = Term { made: UnixMillis(1_795_000_000_000), days: 7 };
        let parameters = term.parameters(&[]).unwrap();
        assert_eq!(parameters.not_before, date_time_ymd(2026, 11, 17));
        assert_eq!(parameters.not_after, date_time_ymd(2026, 11, 25));
    }
}
