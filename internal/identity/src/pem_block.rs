//! PEM as Go writes it: lines of 64 characters that end with a line feed.

use pem::{EncodeConfig, LineEnding, Pem};

/// Writes one block.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

/// The bytes of the only block, which has this label.
pub(crate) fn only(label: &str, text: &[u8]) -> Option<Vec<u8>> {
    let blocks = pem::parse_many(text).ok()?;
    let [block] = <[Pem; 1]>::try_from(blocks).ok()?;
    (block.tag() == label).then(|| block.into_contents())
}

/// The bytes of the first of one or more blocks, all of which have this label.
pub(crate) fn first(label: &str, text: &[u8]) -> Option<Vec<u8>> {
    let blocks = pem::parse_many(text).ok()?;
    let alike = blocks.iter().all(|block| block.tag() == label);
    blocks.into_iter().next().filter(|_| alike).map(Pem::into_contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_and_their_label_is_checked() {
        let (a, b) = (encode("A", b"12"), encode("B", b"34"));
        assert_eq!(a, "-----BEGIN A-----\nMTI=\n-----END A-----\n");
        assert_eq!(only("A", a.as_bytes()), Some(b"12".to_vec()));
        assert_eq!(only("B", a.as_bytes()), None);
        assert_eq!(only("A", format!("{a}{a}").as_bytes()), None);
        assert_eq!(first("A", format!("{a}{a}").as_bytes()), Some(b"12".to_vec()));
        assert_eq!(first("A", format!("{a}{b}").as_bytes()), None);
        assert_eq!(first("A", b"nothing"), None);
    }
}
