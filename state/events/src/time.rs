//! Points in time as the log keeps them, and the texts that Kubernetes uses for them.

use std::fmt;

use bincode::{Decode, Encode};
use serde::Serialize;

const MILLIS_PER_SECOND: i64 = 1000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The moment `millis` later; stays at the end of time rather than wrapping.
    #[must_use]
    pub fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add_unsigned(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 when it is not earlier.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for UnixMillis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = rfc3339_seconds(*self);
        let millis = self.0.rem_euclid(MILLIS_PER_SECOND);
        write!(out, "{}.{millis:03}Z", seconds.trim_end_matches('Z'))
    }
}

/// `2026-11-22T10:00:00Z`, which is how `metav1.Time` is written.
///
/// Source: RFC 3339; the calendar arithmetic counts years from March, so that leap days come last.
pub fn rfc3339_seconds(at: UnixMillis) -> String {
    let seconds = at.0.div_euclid(MILLIS_PER_SECOND);
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads `2026-11-22T10:00:00Z`, with or without a fraction of a second; nothing when the text is not of that form.
///
/// Offsets other than `Z` are refused: API servers always answer in UTC.
pub fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some(UnixMillis(seconds * MILLIS_PER_SECOND + millis_of(fraction)?))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let digits = |part: &&str| -> Option<i64> {
        let plain = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse().ok() } else { None }
    };
    Some([digits(first)?, digits(second)?, digits(third)?])
}

fn millis_of(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let three: String = fraction.chars().chain("000".chars()).take(3).collect();
    three.parse().ok()
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(rfc3339_seconds(UnixMillis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339_seconds(UnixMillis(1_709_164_800_000)), "2024-02-29T00:00:00Z");
        assert_eq!(UnixMillis(1_709_164_800_007).to_string(), "2024-02-29T00:00:00.007Z");
        assert_eq!(parse_rfc3339("2024-02-29T00:00:00.007Z"), Some(UnixMillis(1_709_164_800_007)));
        assert_eq!(parse_rfc3339("2023-05-10T09:55:35.123456789Z"), Some(UnixMillis(1_683_712_535_123)));
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in
            ["", "null", "2024-02-29", "2024-13-01T00:00:00Z", "2024-02-29T00:00:00+01:00", "a-b-cTd:e:fZ"]
        {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in -62_000_000_000_000_i64..250_000_000_000_000) {
            let at = UnixMillis(millis);
            prop_assert_eq!(parse_rfc3339(&at.to_string()), Some(at));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse_rfc3339(&text);
        }
    }
}
