//! Full image references: `registry/path:tag`.

use crate::error::Reason;

const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// A full image reference with its tag, as container runtimes store it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    full: String,
    tag_at: usize,
}

impl Reference {
    /// Takes `registry/path:tag`, or says which part is wrong.
    ///
    /// A short name such as `busybox` is refused: runtimes would each complete it with a registry of their own.
    pub(crate) fn parse(text: &str) -> Result<Self, Reason> {
        if text.contains('@') {
            return Err("a digest cannot be part of it, because it follows from the content");
        }
        let (registry, rest) =
            text.split_once('/').ok_or("expected registry/path:tag, such as testbed.local/toolbox:1")?;
        let (path, tag) = rest.rsplit_once(':').ok_or("the tag is missing, such as :1 at the end")?;
        check_registry(registry)?;
        if !path.split('/').all(is_path_component) {
            return Err("each part of the path is lower-case letters and digits, separated by . _ __ or -");
        }
        if !is_tag(tag) {
            return Err("the tag is 1 to 128 of letters, digits, _ . - and starts with none of . -");
        }
        if text.len() - tag.len() - 1 > LONGEST_NAME {
            return Err("the name before the tag is longer than 255 characters");
        }
        Ok(Self { full: text.to_owned(), tag_at: text.len() - tag.len() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.full
    }

    pub(crate) fn tag(&self) -> &str {
        &self.full[self.tag_at..]
    }
}

fn check_registry(registry: &str) -> Result<(), Reason> {
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err("the registry's port is no number from 0 to 65535");
    }
    // The rule by which runtimes tell a registry from the first part of a path.
    if !host.contains('.') && port.is_none() && host != "localhost" {
        return Err("the registry before the first / needs a dot or a port, or is localhost");
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.split('.').all(label) { Ok(()) } else { Err("the registry is not a host name") }
}

/// Runs of letters and digits with one separator between each two: `.`, `_`, `__` or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = component;
    loop {
        let word = rest.trim_start_matches(alphanumeric);
        if word.len() == rest.len() {
            return false;
        }
        if word.is_empty() {
            return true;
        }
        let separator = &word[..word.find(alphanumeric).unwrap_or(word.len())];
        let dashes = separator.bytes().all(|b| b == b'-');
        if !(dashes || matches!(separator, "." | "_" | "__")) {
            return false;
        }
        rest = &word[separator.len()..];
    }
}

fn is_tag(tag: &str) -> bool {
    (1..=LONGEST_TAG).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_references_are_accepted() {
        for text in [
            "testbed.local/toolbox:1",
            "localhost/a:v1.2-rc_3",
            "localhost:5000/a/b/c:1",
            "a.example/x__y/z--w.q_1:T",
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(reference.as_str(), text);
            assert_eq!(reference.tag(), text.rsplit_once(':').unwrap().1);
        }
    }

    #[test]
    fn others_are_refused_with_a_reason_that_names_the_part() {
        let long_tag = format!("testbed.local/a:{}", "a".repeat(129));
        let long_name = format!("testbed.local/{}:1", "a".repeat(250));
        for (text, part) in [
            ("", "registry/path:tag"),
            ("busybox", "registry/path:tag"),
            ("busybox:1", "registry/path:tag"),
            ("library/busybox:1", "needs a dot"),
            ("testbed.local/toolbox", "tag is missing"),
            ("testbed.local/toolbox:", "the tag is"),
            ("testbed.local/toolbox:-a", "the tag is"),
            (&long_tag, "the tag is"),
            (&long_name, "longer than 255"),
            ("testbed.local/Toolbox:1", "the path"),
            ("testbed.local//a:1", "the path"),
            ("testbed.local/a_:1", "the path"),
            ("testbed.local/a___b:1", "the path"),
            ("testbed..local/a:1", "host name"),
            ("testbed.local:99999/a:1", "port"),
            ("testbed.local/a@sha256:00", "digest"),
            ("testbed.local/a b:1", "the path"),
        ] {
            let reason = Reference::parse(text).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
