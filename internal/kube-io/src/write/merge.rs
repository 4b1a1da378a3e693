//! JSON merge patches, to see beforehand whether one changes anything. Source: RFC 7386.

use serde_json::{Map, Value};

/// Whether merging the patch changes the object.
pub(super) fn changes(object: &Value, patch: &Value) -> bool {
    let Value::Object(wanted) = patch else { return object != patch };
    let empty = Map::new();
    let (fields, is_map) = match object {
        Value::Object(fields) => (fields, true),
        _ => (&empty, false),
    };
    // An empty patch of something that is no map makes it one.
    if !is_map && !object.is_null() {
        return true;
    }
    wanted.iter().any(|(key, value)| match (value, fields.get(key)) {
        (Value::Null, known) => known.is_some_and(|known| !known.is_null()),
        (value, Some(known)) => changes(known, value),
        (value, None) => changes(&Value::Null, value),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_that_says_what_is_so_changes_nothing() {
        let object = json!({"a": {"b": "c", "d": [1]}, "e": null});
        for patch in [
            json!({}),
            json!({"a": {"b": "c"}}),
            json!({"a": {"d": [1]}}),
            json!({"a": {"x": null}}),
            json!({"e": null}),
            json!({"f": null}),
            json!({"f": {"g": null}}),
        ] {
            assert!(!changes(&object, &patch), "{patch}");
        }
        for patch in [
            json!({"a": {"b": "x"}}),
            json!({"a": {"b": null}}),
            json!({"a": {"d": [1, 2]}}),
            json!({"a": null}),
            json!({"f": {"g": 1}}),
            json!({"a": {"b": {}}}),
            json!({"e": 1}),
        ] {
            assert!(changes(&object, &patch), "{patch}");
        }
    }
}
