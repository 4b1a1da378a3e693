//! Reading and filling untyped objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{ReflectError, Resource};

/// The text at a pointer, empty when there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Something other than null is at the pointer.
pub(crate) fn is_set(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).is_some_and(|value| !value.is_null())
}

/// The list at a pointer, empty when there is none or what is there is no list.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The list at a pointer of an object, empty when there is none.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> Result<&'a [Value], ReflectError> {
    match object.pointer(pointer) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(unreadable(object, pointer, "a list")),
    }
}

/// The map at a pointer of an object.
pub(crate) fn map<'a>(object: &'a Value, pointer: &str) -> Result<&'a Map<String, Value>, ReflectError> {
    object.pointer(pointer).and_then(Value::as_object).ok_or_else(|| unreadable(object, pointer, "a map"))
}

/// The texts of the map at a pointer; labels and annotations hold nothing else.
pub(crate) fn texts(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let fields = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A label of an object.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// An annotation of an object.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// The object is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    is_set(object, "/metadata/deletionTimestamp")
}

/// `Kind namespace/name`, as errors name an object.
pub(crate) fn named(object: &Value) -> String {
    let kind = match text(object, "/kind") {
        "" => "object",
        kind => kind,
    };
    match text(object, "/metadata/namespace") {
        "" => format!("{kind} {}", text(object, "/metadata/name")),
        namespace => format!("{kind} {namespace}/{}", text(object, "/metadata/name")),
    }
}

/// The error about a field that is not what it should be.
pub(crate) fn unreadable(object: &Value, pointer: &str, expected: &'static str) -> ReflectError {
    let field = pointer.trim_start_matches('/').replace('/', ".");
    ReflectError::ReadObject { object: named(object), field, expected }
}

/// A new object with its kind and metadata.
pub(crate) fn object(resource: Resource, metadata: Value) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), resource.api_version().into());
    object.insert("kind".to_owned(), resource.kind.into());
    object.insert("metadata".to_owned(), metadata);
    object
}

/// Copies the keys that `from` has and that are not null.
pub(crate) fn copy(from: &Map<String, Value>, keys: &[&str], to: &mut Map<String, Value>) {
    for key in keys {
        if let Some(value) = from.get(*key).filter(|value| !value.is_null()) {
            to.insert((*key).to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_name_the_object_and_the_field() {
        let object =
            json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "b"}, "spec": {"volumes": 1}});
        let error = list(&object, "/spec/volumes").unwrap_err().to_string();
        assert!(error.starts_with("Pod b/a: spec.volumes is not a list;"), "{error}");
        assert_eq!(list(&object, "/spec/containers"), Ok(&[][..]));
        assert!(map(&json!({}), "/spec").unwrap_err().to_string().starts_with("object : spec is not a map"));
        assert_eq!(named(&json!({"kind": "Node", "metadata": {"name": "n"}})), "Node n");
    }
}
