//! What a token says of the key of the cluster that it is for: whoever answers without that key is somebody else.

use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Bytes of a SHA-256.
const BYTES: usize = 32;

/// The SHA-256 of a public key, as it is in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; BYTES]);

impl Pin {
    /// The pin of a public key, DER.
    pub(crate) fn of_key(public_key: &[u8]) -> Self {
        Self(Sha256::digest(public_key).into())
    }

    /// The pin of the key in a certificate, DER; nothing when it is none.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self::of_key(certificate.public_key().raw))
    }

    /// Reads the form that [`Pin::hex`] writes, and no other.
    pub fn parse(text: &str) -> Option<Self> {
        let pin = Self(from_hex(text)?);
        (pin.hex() == text).then_some(pin)
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four_bits: u8| char::from(DIGITS[usize::from(four_bits & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Reads hexadecimal of that many bytes.
fn from_hex(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != 2 * BYTES || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_written() {
        let pin = Pin::of_key(b"key");
        assert_eq!(pin.hex(), "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683");
        assert_eq!(Pin::parse(&pin.hex()), Some(pin));
        let longer = format!("{}00", pin.hex());
        for text in ["", "2c70", &longer, &pin.hex().to_uppercase(), &pin.hex().replace("2c", "+c")] {
            assert_eq!(Pin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_pin() {
        assert_eq!(Pin::of_certificate(b"nothing"), None);
    }
}
