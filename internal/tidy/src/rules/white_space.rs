//! Text files have no white space at the end of a line, and end with exactly one newline.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "white_space";

/// Checks every text file.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in picture.texts() {
        let trailing = text.split('\n').enumerate().filter(|(_, line)| line.ends_with(char::is_whitespace));
        found.extend(trailing.map(|(index, _)| {
            Violation::new(RULE, path, index + 1, "remove the white space at the end of the line")
        }));
        let last = text.lines().count().max(1);
        found.extend(ending(text).map(|message| Violation::new(RULE, path, last, message)));
    }
    found
}

fn ending(text: &str) -> Option<&'static str> {
    match text {
        "" => None,
        _ if !text.ends_with('\n') => Some("end the file with a newline"),
        _ if text.ends_with("\n\n") || text == "\n" => Some("remove the empty lines at the end of the file"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&Picture::of(&[("a.md", text)])).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn clean_text_is_good() {
        for text in ["", "a\n", "a\n\n  b\n"] {
            assert_eq!(lines(text), [0; 0], "{text:?}");
        }
    }

    #[test]
    fn every_stray_space_is_reported() {
        assert_eq!(lines("a \nb\t\nc\r\n"), [1, 2, 3]);
        assert_eq!(lines("a\nb"), [2]);
        assert_eq!(lines("a\n\n"), [2]);
        assert_eq!(lines("\n"), [1]);
    }
}
