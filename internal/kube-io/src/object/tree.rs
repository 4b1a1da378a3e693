//! JSON of one object as a tree, without `metadata.managedFields`.
//!
//! Who wrote which field is two fifths of a pod's bytes and nothing that anybody here asks, so it is skipped while
//! reading and never takes memory. Nesting is bounded here and skipped without recursion below the bound, because the
//! reader of JSON would refuse the whole page for one object that a tenant nested too deeply.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Levels that are read. Every schema of Kubernetes stays below 40; the reader of JSON refuses 128.
const DEEPEST: u8 = 96;

/// An object's JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    /// The object without `metadata.managedFields`.
    pub(crate) body: Value,
    /// Something was nested deeper than is read, and is missing.
    pub(crate) too_deep: bool,
}

/// Reads one object.
///
/// # Errors
///
/// When the bytes are no JSON.
pub(crate) fn read_tree(bytes: &[u8]) -> Result<Tree, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let tree = TreeSeed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

/// Reads an object wherever it is in a larger document.
pub(crate) struct TreeSeed;

impl<'de> DeserializeSeed<'de> for TreeSeed {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        let too_deep = Cell::new(false);
        let seed = Node { place: Place::Object, levels: DEEPEST, too_deep: &too_deep };
        let body = seed.deserialize(deserializer)?;
        Ok(Tree { body, too_deep: too_deep.get() })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Object,
    Metadata,
    Elsewhere,
}

#[derive(Clone, Copy)]
struct Node<'a> {
    place: Place,
    levels: u8,
    too_deep: &'a Cell<bool>,
}

impl Node<'_> {
    fn below(self, key: &str) -> Self {
        let metadata = self.place == Place::Object && key == "metadata";
        let place = if metadata { Place::Metadata } else { Place::Elsewhere };
        Self { place, levels: self.levels - 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.levels == 0 {
            self.too_deep.set(true);
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(""))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if self.place == Place::Metadata && key == "managedFields" {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = entries.next_value_seed(self.below(&key))?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_writers_of_fields_are_left_out_and_nothing_else() {
        let text = br#"{"kind":"Pod","metadata":{"name":"a","managedFields":[{"manager":"m"}],"labels":{"managedFields":"x"}},
            "spec":{"metadata":{"managedFields":[1,-2,3.5,null,true]}}}"#;
        let body = json!({
            "kind": "Pod",
            "metadata": {"name": "a", "labels": {"managedFields": "x"}},
            "spec": {"metadata": {"managedFields": [1, -2, 3.5, null, true]}},
        });
        assert_eq!(read_tree(text).unwrap(), Tree { body, too_deep: false });
    }

    #[test]
    fn what_is_nested_too_deeply_is_left_out_and_said() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!read_tree(deep(96).as_bytes()).unwrap().too_deep);
        let tree = read_tree(format!(r#"{{"metadata":{{"name":"a"}},"spec":{}}}"#, deep(100_000)).as_bytes())
            .unwrap();
        assert!(tree.too_deep);
        assert_eq!(tree.body["metadata"], json!({"name": "a"}));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "{}{}", "nul"] {
            assert!(read_tree(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_tree(&bytes);
        }
    }
}
