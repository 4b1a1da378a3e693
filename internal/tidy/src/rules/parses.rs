//! Every Rust file can be parsed, since the other rules see nothing in one that cannot.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "parses";

/// Parses each file.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let failure = |text| syn::parse_file(text).err();
    let failures = picture.rust().filter_map(|(file, text)| Some((file, failure(text)?)));
    let violation = |(file, error): (&crate::File, syn::Error)| {
        Violation::new(
            RULE,
            &file.path,
            error.span().start().line.max(1),
            format!("mend the syntax: {error}"),
        )
    };
    failures.map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_syntax_is_reported_where_it_breaks() {
        assert_eq!(check(&Picture::of(&[("a.rs", "//! A.\nfn f() {}\n"), ("b.txt", "fn (")])), []);
        let found = check(&Picture::of(&[("a.rs", "//! A.\nfn 3f() {}\n")]));
        assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [2]);
    }
}
