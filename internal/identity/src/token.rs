//! Tokens by which a cluster may ask for an identity, as they are handed over: `<secret>.<pin>`, or the secret alone.
//!
//! The provider compares the secret, and passes the rest over. The consumer sends the whole to nobody but the holder of the
//! key that the pin tells; Liqo 0.8.3 carries it unread.

use hmac::{Hmac, KeyInit as _, Mac as _};
use liqo_model::ClusterId;
use sha2::Sha256;

use crate::pin::hex;
use crate::{Pin, Secret};

/// Letters of a secret of 32 bytes in hexadecimal: of a one-time token, and of one for the way back.
const SHORT: usize = 64;
/// Letters of the token that every peer may use.
const LONG: usize = 128;
/// What a token for the way back is made for, so that the key makes nothing else with the same result.
const WAY_BACK: &[u8] = b"liqo token for the way back\0";

/// A token as it was handed over.
pub(crate) struct Token {
    /// What the provider compares.
    pub(crate) secret: Secret,
    /// The key of the provider, if the token tells.
    pub(crate) pin: Option<Pin>,
}

impl Token {
    /// Reads a token; nothing when it is one of ours that lost a part on its way. What was made by hand may have any form.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let Some((secret, rest)) = text.expose().split_once('.') else {
            return Some(Self { secret: text.clone(), pin: None });
        };
        match Pin::parse(rest) {
            Some(pin) => Some(Self { secret: Secret::new(secret), pin: Some(pin) }),
            None if is_hex(secret, SHORT) || is_hex(secret, LONG) => None,
            None => Some(Self { secret: text.clone(), pin: None }),
        }
    }
}

/// Whether nothing of a token was lost on its way, as far as can be told.
pub fn is_whole(token: &Secret) -> bool {
    Token::parse(token).is_some()
}

/// The token with the pin of this cluster's key.
pub fn with_pin(secret: &Secret, pin: Option<&Pin>) -> Secret {
    match pin {
        Some(pin) => Secret::new(format!("{}.{}", secret.expose(), pin.hex())),
        None => secret.clone(),
    }
}

/// The secret of a one-time token, of 32 random bytes.
pub fn one_time_secret_of(random: &[u8; 32]) -> Secret {
    Secret::new(hex(random))
}

/// Whether a secret has the form of a one-time token.
pub(crate) fn may_be_one_time(secret: &Secret) -> bool {
    is_hex(secret.expose(), SHORT)
}

/// The secret by which one peer, and no other, may ask this cluster for an identity in turn. It follows from the token of
/// this cluster, so nothing has to be kept for it, and it ends with that. Nothing while this cluster has no token.
pub fn way_back(own: &Secret, peer: &ClusterId) -> Option<Secret> {
    if own.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(own.expose().as_bytes()).ok()?;
    mac.update(WAY_BACK);
    mac.update(peer.as_str().as_bytes());
    Some(Secret::new(hex(&mac.finalize().into_bytes())))
}

fn is_hex(text: &str, letters: usize) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == letters && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

    fn read(text: &str) -> Option<(String, Option<String>)> {
        let token = Token::parse(&Secret::new(text))?;
        Some((token.secret.expose().to_owned(), token.pin.map(|pin| pin.hex())))
    }

    #[test]
    fn a_token_tells_its_secret_and_its_pin() {
        let secret = "ab".repeat(32);
        let whole = (secret.clone(), Some(PIN.to_owned()));
        assert_eq!(read(&format!("{secret}.{PIN}")), Some(whole));
        assert_eq!(read(&secret), Some((secret.clone(), None)));
        // Made by hand, with a dot in it.
        assert_eq!(read("my.token"), Some(("my.token".to_owned(), None)));
        let pin = Pin::parse(PIN).unwrap();
        assert_eq!(with_pin(&Secret::new("x"), Some(&pin)).expose(), format!("x.{PIN}"));
        assert_eq!(with_pin(&Secret::new("x"), None).expose(), "x");
    }

    #[test]
    fn a_token_that_lost_a_part_of_its_pin_is_not_taken_for_one_without() {
        for secret in ["ab".repeat(32), "ab".repeat(64)] {
            for pin in ["", "2c", &PIN[1..], &format!("{PIN}a")] {
                assert_eq!(read(&format!("{secret}.{pin}")), None, "{pin}");
            }
        }
    }

    #[test]
    fn one_time_tokens_are_told_by_their_form() {
        assert!(may_be_one_time(&one_time_secret_of(&[0xa5; 32])));
        for other in [String::new(), "a".repeat(63), "A".repeat(64), "a".repeat(128), "g".repeat(64)] {
            assert!(!may_be_one_time(&Secret::new(other)));
        }
    }

    #[test]
    fn the_way_back_is_for_one_peer_and_of_one_token() {
        let of = |own: &str, peer: &str| way_back(&Secret::new(own), &peer.into());
        let one = of("own", "a").unwrap();
        assert_eq!(one.expose().len(), SHORT);
        assert!(one.matches(&of("own", "a").unwrap()));
        assert!(!one.matches(&of("own", "b").unwrap()));
        assert!(!one.matches(&of("other", "a").unwrap()));
        assert!(of("", "a").is_none());
    }
}
