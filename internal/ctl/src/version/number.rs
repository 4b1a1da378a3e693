//! The number of a release.

/// Three numbers, and what is behind them. Builds are not told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    major: u64,
    minor: u64,
    patch: u64,
    /// `rc.1` of `v1.0.0-rc.1`; empty for a release.
    before: String,
}

impl Number {
    /// Reads `v0.8.3` or `0.8.3`; nothing for what is no release, such as a commit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, _) = text.split_once('+').unwrap_or((text, ""));
        let (numbers, before) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.');
        let mut next = || numbers.next()?.parse().ok();
        let (major, minor, patch) = (next()?, next()?, next()?);
        numbers.next().is_none().then(|| Self { major, minor, patch, before: before.to_owned() })
    }

    /// Whether they differ by more than a patch release. Before 1.0 a minor release may break things as well.
    pub(crate) fn is_apart(&self, other: &Self) -> bool {
        (self.major, self.minor) != (other.major, other.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_other_tags_are_not() {
        let read = |text| Number::parse(text).map(|it| (it.major, it.minor, it.patch, it.before));
        assert_eq!(read("v0.8.3"), Some((0, 8, 3, String::new())));
        assert_eq!(read("1.2.3-rc.1+build-5"), Some((1, 2, 3, "rc.1".to_owned())));
        for text in ["", "dev", "v1", "1.2", "1.2.3.4", "latest", "8f3a1c0d", "v1.2.x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn patch_releases_are_not_apart() {
        let apart =
            |one: &str, other: &str| Number::parse(one).unwrap().is_apart(&Number::parse(other).unwrap());
        assert!(!apart("v0.8.3", "0.8.0"));
        assert!(!apart("v1.0.0-rc.1", "v1.0.1"));
        assert!(apart("v0.8.3", "v0.9.0"));
        assert!(apart("v1.8.3", "v0.8.3"));
    }
}
