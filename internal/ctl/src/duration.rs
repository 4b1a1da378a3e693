//! Durations as they are typed: `90s`, `2m`, `1m30s`, `500ms`.

use std::time::Duration;

/// Units, longer names before those that they begin with.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
/// A day. What takes longer is waited for by other means.
const LONGEST: u64 = 24 * 3_600_000;

/// Reads a duration; the error says what it looks like.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    milliseconds(text)
        .filter(|all| *all <= LONGEST)
        .map(Duration::from_millis)
        .ok_or_else(|| "write a number with its unit, such as 90s or 2m, of a day at most".to_owned())
}

/// Reads a duration as kubectl does, which takes a number without unit for seconds.
pub(crate) fn parse_or_seconds(text: &str) -> Result<Duration, String> {
    let only_digits = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
    if only_digits { parse(&format!("{text}s")) } else { parse(text) }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut all) = (text, 0_u64);
    while !rest.is_empty() {
        let number_ends = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, behind) = rest.split_at(number_ends);
        let (unit, each) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        all = all.checked_add(number.parse::<u64>().ok()?.checked_mul(*each)?)?;
        rest = &behind[unit.len()..];
    }
    (!text.is_empty()).then_some(all)
}

/// A duration as it is typed.
pub(crate) fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        parts => format!("{parts}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_typed() {
        let read = |text| parse(text).ok().map(|duration| duration.as_millis());
        for (text, expected) in [
            ("120s", 120_000),
            ("2m", 120_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "1.5s", "5d", "99999999999999999999s", "25h"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_alone_may_be_seconds() {
        assert_eq!(parse_or_seconds("5"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_or_seconds("0"), Ok(Duration::ZERO));
        assert_eq!(parse_or_seconds("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_or_seconds("").is_err());
    }

    #[test]
    fn a_duration_is_shown_as_it_is_typed() {
        assert_eq!(shown(Duration::from_secs(120)), "120s");
        assert_eq!(shown(Duration::from_millis(500)), "500ms");
    }
}
