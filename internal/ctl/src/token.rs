//! A token on the command line, which no error and no log may show.

use std::fmt;
use std::str::FromStr;

use liqo_identity::Secret;

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
            Err("it is empty: run `liqoctl generate peer-command` in the other cluster")
        } else {
            Ok(Self(Secret::new(text)))
        }
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
}
