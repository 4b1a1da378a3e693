//! Texts that nobody may see: tokens and private keys.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A token or key. It cannot be printed or serialised, and its memory is overwritten when it is dropped.
///
/// ```compile_fail
/// println!("{:?}", liqo_identity::Secret::new("token"));
/// ```
///
/// ```compile_fail
/// println!("{}", liqo_identity::Secret::new("token"));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A token of this cluster, of 64 random bytes: lower-case hexadecimal, 128 characters.
    pub fn token(random: &[u8; 64]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |four_bits: u8| char::from(DIGITS[usize::from(four_bits & 15)]);
        Self(Zeroizing::new(random.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()))
    }

    /// The text, for the one place that must send or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it, which stands for "no token".
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same; takes as long wherever they differ. Only their lengths may show.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_hexadecimal() {
        let mut random = [0xa5; 64];
        random[0] = 0x0f;
        let token = Secret::token(&random);
        assert_eq!(token.expose(), format!("0f{}", "a5".repeat(63)));
    }

    #[test]
    fn only_the_same_text_matches() {
        let token = Secret::new("abc");
        assert!(token.matches(&Secret::new("abc")));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!token.matches(&Secret::new(other)), "{other}");
        }
    }
}
