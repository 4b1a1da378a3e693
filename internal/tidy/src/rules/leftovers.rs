//! No Rust file keeps unfinished work: tests that never run, code that only panics, notes to mend it later.

use crate::picture::Picture;
use crate::tokens::{self, Token};
use crate::violation::Violation;

const RULE: &str = "leftovers";
const NOTES: &[&str] = &[concat!("FIX", "ME"), concat!("X", "XX")];
const IGNORED_EXAMPLE: &str = concat!("``", "`ignore");

/// Checks tokens for what would compile, and lines for what is only written down.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in picture.rust() {
        let places = in_tokens(&tokens::flatten(text)).into_iter().chain(in_lines(text));
        found.extend(places.map(|(line, message)| Violation::new(RULE, &file.path, line, message)));
    }
    found
}

fn in_tokens(tokens: &[Token]) -> Vec<(usize, String)> {
    let ignored = tokens::attributes(tokens).into_iter().filter(|attribute| ignores(attribute));
    let ignored = ignored.map(|attribute| {
        (
            attribute[0].line,
            "let the test run, or remove it: one without its privileges says that it skipped".to_owned(),
        )
    });
    let unfinished =
        tokens.windows(2).filter(|pair| matches!(tokens::texts(pair), ["todo" | "unimplemented", "!"]));
    ignored
        .chain(unfinished.map(|pair| (pair[0].line, format!("finish this instead of {}!", pair[0].text))))
        .collect()
}

fn ignores(attribute: &[Token]) -> bool {
    match tokens::texts(attribute) {
        ["ignore"] => true,
        ["cfg_attr"] => attribute.iter().any(|token| token.text == "ignore"),
        _ => false,
    }
}

fn in_lines(text: &str) -> Vec<(usize, String)> {
    let note = |line: &str| {
        let word = NOTES
            .iter()
            .find(|note| line.split(|other: char| !other.is_alphanumeric()).any(|word| word == **note));
        let example = line.contains(IGNORED_EXAMPLE).then(|| "let the example compile".to_owned());
        word.map(|word| format!("mend it instead of writing {word}")).or(example)
    };
    text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, note(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&Picture::of(&[("a.rs", text)])).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn finished_code_is_good() {
        let text = "#[test]\nfn ignore() { \"todo!()\"; let todo = !unimplemented; \"/tmp/a-XXXXXX\"; }\n";
        assert_eq!(lines(text), [0; 0]);
    }

    #[test]
    fn unfinished_code_is_reported() {
        assert_eq!(lines("#[test]\n#[ignore = \"slow\"]\nfn f() {}"), [2]);
        assert_eq!(lines("#[cfg_attr(unix, ignore)]\nfn f() {}"), [1]);
        assert_eq!(lines("fn f() {\n    std::todo!()\n}"), [2]);
        assert_eq!(lines("fn f() { call!(unimplemented!()) }"), [1]);
        assert_eq!(lines(&format!("\n/// {IGNORED_EXAMPLE}\nfn f() {{}}")), [2]);
        for note in NOTES {
            assert_eq!(lines(&format!("fn f() {{}}\n// {note}: later\n")), [2]);
        }
    }
}
