//! What carries objects: pages of lists and lines of watches.

use std::fmt;

use liqo_model::ResourceVersion;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Tree;
use super::tree::TreeSeed;

/// The `metadata` of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// One page of a list, but its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Version of the list.
    pub(crate) resource_version: ResourceVersion,
    /// Token of the next page; nothing on the last one.
    pub(crate) next: Option<String>,
}

/// Reads a page and gives each of its objects to `each` while it is the only one in memory.
///
/// # Errors
///
/// When the bytes are no JSON of a list.
pub(crate) fn read_page(bytes: &[u8], each: &mut dyn FnMut(Tree)) -> Result<Page, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let page = reader.deserialize_map(PageVisitor { each })?;
    reader.end()?;
    Ok(page)
}

struct PageVisitor<'a> {
    each: &'a mut dyn FnMut(Tree),
}

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = Page;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Page, A::Error> {
        let mut metadata = ListMetadata::default();
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "metadata" => metadata = entries.next_value()?,
                "items" => entries.next_value_seed(Items { each: &mut *self.each })?,
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        let next = metadata.next.filter(|token| !token.is_empty());
        Ok(Page { resource_version: metadata.resource_version.into(), next })
    }
}

struct Items<'a> {
    each: &'a mut dyn FnMut(Tree),
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("objects")
    }

    /// An empty list is null in Go.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(tree) = items.next_element_seed(TreeSeed)? {
            (self.each)(tree);
        }
        Ok(())
    }
}

/// One line of a watch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// An object is new or changed.
    Applied(Tree),
    /// An object is gone; its last state, with the version of the deletion.
    Deleted(Tree),
    /// Everything up to this version was sent.
    Bookmark(ResourceVersion),
    /// The watch ends with this code.
    Error(u16),
    /// The line is nothing of these.
    Unreadable,
}

/// Reads one line of a watch.
pub(crate) fn read_line(bytes: &[u8]) -> Line {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Ok((kind, tree)) = reader.deserialize_map(LineVisitor) else { return Line::Unreadable };
    match kind.as_str() {
        "ADDED" | "MODIFIED" => Line::Applied(tree),
        "DELETED" => Line::Deleted(tree),
        "BOOKMARK" => match tree.body["metadata"]["resourceVersion"].as_str() {
            Some(version) if !version.is_empty() => Line::Bookmark(version.into()),
            _ => Line::Unreadable,
        },
        "ERROR" => {
            let code = tree.body["code"].as_u64().and_then(|code| u16::try_from(code).ok());
            Line::Error(code.unwrap_or(0))
        }
        _ => Line::Unreadable,
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = (String, Tree);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an event of a watch")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(String, Tree), A::Error> {
        let mut kind = String::new();
        let mut tree = Tree::default();
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "type" => kind = entries.next_value()?,
                "object" => tree = entries.next_value_seed(TreeSeed)?,
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok((kind, tree))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn page(text: &str) -> Result<(Page, Vec<Tree>), serde_json::Error> {
        let mut trees = Vec::new();
        let page = read_page(text.as_bytes(), &mut |tree| trees.push(tree))?;
        Ok((page, trees))
    }

    fn tree(body: serde_json::Value) -> Tree {
        Tree { body, too_deep: false }
    }

    #[test]
    fn a_page_is_read_object_by_object() {
        let text = r#"{"kind":"PodList","items":[{"metadata":{"name":"a","managedFields":[1]}},7],
            "metadata":{"resourceVersion":"12","continue":"abc","remainingItemCount":3}}"#;
        let expected = Page { resource_version: "12".into(), next: Some("abc".to_owned()) };
        let objects = vec![tree(json!({"metadata": {"name": "a"}})), tree(json!(7))];
        assert_eq!(page(text).unwrap(), (expected, objects));
    }

    #[test]
    fn the_last_page_has_no_next_one_and_may_be_empty() {
        for text in [
            r#"{"metadata":{"resourceVersion":"12","continue":""},"items":null}"#,
            r#"{"metadata":{"resourceVersion":"12"},"items":[]}"#,
        ] {
            let expected = Page { resource_version: "12".into(), next: None };
            assert_eq!(page(text).unwrap(), (expected, Vec::new()));
        }
        assert!(page("[]").is_err());
        assert!(page(r#"{"items":{}}"#).is_err());
    }

    #[test]
    fn lines_are_told_apart() {
        let object = json!({"metadata": {"name": "a"}});
        let line = |kind: &str, object: &serde_json::Value| {
            read_line(json!({"type": kind, "object": object}).to_string().as_bytes())
        };
        assert_eq!(line("ADDED", &object), Line::Applied(tree(object.clone())));
        assert_eq!(line("MODIFIED", &object), Line::Applied(tree(object.clone())));
        assert_eq!(line("DELETED", &object), Line::Deleted(tree(object.clone())));
        assert_eq!(
            line("BOOKMARK", &json!({"metadata": {"resourceVersion": "9"}})),
            Line::Bookmark("9".into())
        );
        assert_eq!(line("BOOKMARK", &json!({"metadata": {}})), Line::Unreadable);
        assert_eq!(line("ERROR", &json!({"kind": "Status", "code": 410})), Line::Error(410));
        assert_eq!(line("ERROR", &json!({})), Line::Error(0));
        assert_eq!(line("RENAMED", &object), Line::Unreadable);
        for text in ["", "x", "[]", r#"{"type":"ADDED","object":"#] {
            assert_eq!(read_line(text.as_bytes()), Line::Unreadable, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_line(&bytes);
            let _ = read_page(&bytes, &mut |_| {});
        }
    }
}
