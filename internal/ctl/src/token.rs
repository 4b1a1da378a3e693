//! A token on the command line, which no error and no log may show.

use std::fmt;
use std::str::FromStr;

use liqo_identity::{Secret, is_whole};

/// What a peer's administrator handed over.
#[derive(Clone)]
pub(crate) struct Token(Secret);

impl Token {
    /// The token, for the object that keeps it.
    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty: run `liqoctl generate peer-command` in the other cluster");
        }
        let token = Secret::new(text);
        if is_whole(&token) { Ok(Self(token)) } else { Err("a part of it is missing: copy the whole of it") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let token: Token = " abc\n".parse().unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(token.secret().matches(&Secret::new("abc")));
        assert!(" ".parse::<Token>().is_err());
    }

    #[test]
    fn a_token_that_lost_a_part_is_refused_at_once() {
        let whole = format!("{}.{}", "ab".repeat(32), "cd".repeat(32));
        assert!(whole.parse::<Token>().is_ok());
        let error = whole[..100].parse::<Token>().err().unwrap();
        assert_eq!(error, "a part of it is missing: copy the whole of it");
    }
}
