//! Where a pod is in the peer, and names that can be part of a path.

use thiserror::Error;

/// A pod in the peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemotePod {
    /// Its namespace there.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl RemotePod {
    /// The path of a subresource of it, when its names can be part of a path.
    pub(super) fn path(&self, subresource: &str) -> Option<String> {
        let Self { namespace, name } = self;
        let fits = is_name(namespace) && is_name(name);
        fits.then(|| format!("/api/v1/namespaces/{namespace}/pods/{name}/{subresource}"))
    }
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum QueryFault {
    #[error("{field} must be {expected}")]
    Value { field: &'static str, expected: &'static str },
    #[error("sinceTime and sinceSeconds cannot both be given")]
    TwoBeginnings,
    #[error("at least one of input, output and error must be given")]
    NoStream,
    #[error("the pod has a name in the peer that no pod can have")]
    Place,
}

/// Whether a text is a name of a pod, namespace or container, and so can be part of a path as it is.
pub(crate) fn is_name(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=253).contains(&bytes.len())
        && bytes.first().is_some_and(inner)
        && bytes.last().is_some_and(inner)
        && bytes.iter().all(|byte| inner(byte) || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        for good in ["a", "0", "web-0", "a.b", &"x".repeat(253)] {
            assert!(is_name(good), "{good}");
        }
        for bad in
            ["", ".", "..", "a/b", "a%2fb", "a?b", "A", "é", "-a", "a-", "a b", "a\n", &"x".repeat(254)]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
