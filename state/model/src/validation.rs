//! The name rule of Kubernetes that identities have to follow.

use thiserror::Error;

/// Longest label by RFC 1123.
const LABEL_LENGTH: usize = 63;

/// Why a text cannot be used as a name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{field} {text:?} is no DNS label: use 1 to 63 lower-case letters, digits and hyphens, \
     beginning and ending with a letter or digit"
)]
pub struct InvalidName {
    /// The field that holds the text.
    pub field: String,
    /// The text.
    pub text: String,
}

/// Checks a DNS-1123 label.
///
/// # Errors
///
/// [`InvalidName`] with the field and the text.
pub fn check_dns_label(field: &str, text: &str) -> Result<(), InvalidName> {
    let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let fits = bytes.len() <= LABEL_LENGTH
        && bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|byte| edge(byte) || *byte == b'-');
    if fits { Ok(()) } else { Err(InvalidName { field: field.to_owned(), text: text.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_from_other_texts() {
        for good in ["a", "rome-1", "0", &"x".repeat(63)] {
            assert_eq!(check_dns_label("name", good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "é", &"x".repeat(64)] {
            assert!(check_dns_label("name", bad).is_err(), "{bad}");
        }
    }
}
