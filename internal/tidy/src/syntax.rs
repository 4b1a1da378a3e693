//! What several rules ask of parsed Rust: is this a test, where does it begin and end.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Item, Meta, Token};

/// The parsed file; none when it is not Rust, which the rule `parses` reports.
pub(crate) fn parse(text: &str) -> Option<syn::File> {
    syn::parse_file(text).ok()
}

/// The attributes say that this exists only in a test build, or is a test itself.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let marks_test = path.segments.last().is_some_and(|segment| segment.ident == "test");
        let needs_test = || attribute.parse_args::<Meta>().is_ok_and(|condition| implies_test(&condition));
        marks_test || (path.is_ident("cfg") && needs_test())
    })
}

/// The condition of a `cfg` holds only when `test` does.
fn implies_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return false;
    };
    match list.path.get_ident().map(ToString::to_string).as_deref() {
        Some("all") => inner.iter().any(implies_test),
        Some("any") => !inner.is_empty() && inner.iter().all(implies_test),
        _ => false,
    }
}

/// Attributes of the items that hold tests in practice.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// How many lines a piece of syntax covers, attributes included.
pub(crate) fn lines(piece: &impl Spanned) -> usize {
    let span = piece.span();
    span.end().line + 1 - span.start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(item: &str) -> bool {
        is_test(attributes(&syn::parse_str(item).unwrap()))
    }

    #[test]
    fn test_items_are_told_from_others() {
        for item in
            ["#[cfg(test)] mod a {}", "#[cfg(all(unix, test))] mod a {}", "#[tokio::test] async fn a() {}"]
        {
            assert!(judged(item), "{item}");
        }
        for item in ["mod a {}", "#[cfg(not(test))] mod a {}", "#[cfg(any(test, unix))] mod a {}"] {
            assert!(!judged(item), "{item}");
        }
    }

    #[test]
    fn lines_include_attributes() {
        let item: Item = syn::parse_str("#[cfg(test)]\nmod a {\n}").unwrap();
        assert_eq!(lines(&item), 3);
    }
}
