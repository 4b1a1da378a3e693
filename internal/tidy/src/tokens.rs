//! A Rust file as a flat row of tokens, so that a rule sees into macro bodies and never into strings or comments.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token, or one end of a bracketed group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a Rust source; none when it is not lexically Rust, which the rule `parses` reports.
pub(crate) fn flatten(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    if let Ok(stream) = TokenStream::from_str(text) {
        push_all(stream, &mut tokens);
    }
    tokens
}

fn push_all(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let TokenTree::Group(group) = tree else {
            tokens.push(Token { text: tree.to_string(), line });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        tokens.push(Token { text: open.into(), line });
        push_all(group.stream(), tokens);
        tokens.push(Token { text: close.into(), line: group.span().end().line });
    }
}

/// The insides of every `#[...]` and `#![...]`.
pub(crate) fn attributes(tokens: &[Token]) -> Vec<&[Token]> {
    let starts = tokens.windows(3).enumerate().filter_map(|(index, window)| match texts(window) {
        ["#", "[", _] => Some(index + 2),
        ["#", "!", "["] => Some(index + 3),
        _ => None,
    });
    starts.filter_map(|start| Some(&tokens[start..start + closing(&tokens[start..])?])).collect()
}

/// The texts of `N` tokens, to be matched against a pattern.
pub(crate) fn texts<const N: usize>(tokens: &[Token]) -> [&str; N] {
    std::array::from_fn(|index| tokens.get(index).map_or("", |token| token.text.as_str()))
}

/// Index of the bracket that closes the group in which `tokens` begins.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" if depth == 0 => return Some(index),
            "]" => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_opened_and_strings_kept_whole() {
        let tokens = flatten("call! {\n  \"a b\"\n}");
        let seen: Vec<_> = tokens.iter().map(|token| (token.text.as_str(), token.line)).collect();
        assert_eq!(seen, [("call", 1), ("!", 1), ("{", 1), ("\"a b\"", 2), ("}", 3)]);
    }

    #[test]
    fn attributes_are_found_inside_and_outside() {
        let tokens = flatten("#![deny(a)] #[test] fn f() { let x = [1]; }");
        let heads: Vec<_> = attributes(&tokens).iter().map(|inside| inside[0].text.clone()).collect();
        assert_eq!(heads, ["deny", "test"]);
    }
}
