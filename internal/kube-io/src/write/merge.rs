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

/// The merge patch that makes `existing` what is `wanted`, key by key: what is not wanted goes. Nothing when it is so.
/// An empty map, null and what is not there are the same.
pub(super) fn replacing(existing: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(now), Value::Object(then)) = (existing, wanted) else {
        return (!is_same(existing, wanted)).then(|| wanted.clone());
    };
    let mut change = Map::new();
    for (key, wanted) in then.iter().filter(|(_, wanted)| !is_nothing(wanted)) {
        let part = match now.get(key).filter(|known| !is_nothing(known)) {
            Some(known) => replacing(known, wanted),
            None => Some(wanted.clone()),
        };
        change.extend(part.map(|part| (key.clone(), part)));
    }
    let is_gone = |key: &str| then.get(key).is_none_or(is_nothing);
    let gone = now.iter().filter(|(key, known)| !is_nothing(known) && is_gone(key));
    // A map that is to be empty stays a map: its key may be one that has to be there.
    let emptied = |key: &str, known: &Value| match (known, then.get(key)) {
        (Value::Object(_), Some(wanted @ Value::Object(_))) => replacing(known, wanted).unwrap_or_default(),
        _ => Value::Null,
    };
    change.extend(gone.map(|(key, known)| (key.clone(), emptied(key, known))));
    (!change.is_empty()).then(|| change.into())
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

fn is_same(one: &Value, other: &Value) -> bool {
    one == other || (is_nothing(one) && is_nothing(other))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_map_that_is_emptied_stays() {
        let patch = replacing(&json!({"a": {"b": 1, "c": {"d": 2}}}), &json!({"a": {}}));
        assert_eq!(patch, Some(json!({"a": {"b": null, "c": null}})));
        assert_eq!(replacing(&json!({"a": {"b": 1}}), &json!({})), Some(json!({"a": null})));
    }

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

    #[test]
    fn a_value_is_replaced_whole() {
        let existing = json!({"a": {"b": "c", "d": [1], "x": {}}, "e": 1, "f": null});
        for (wanted, expected) in [
            (existing.clone(), None),
            (json!({"a": {"b": "c", "d": [1]}, "e": 1}), None),
            (json!({"a": {"b": "z", "d": [1]}, "e": 1}), Some(json!({"a": {"b": "z"}}))),
            (
                json!({"a": {"d": [1, 2]}, "g": {"h": 1}}),
                Some(json!({"a": {"b": null, "d": [1, 2]}, "e": null, "g": {"h": 1}})),
            ),
            (json!({}), Some(json!({"a": null, "e": null}))),
        ] {
            assert_eq!(replacing(&existing, &wanted), expected, "{wanted}");
        }
        assert_eq!(replacing(&Value::Null, &json!({"a": 1})), Some(json!({"a": 1})));
        assert_eq!(replacing(&Value::Null, &json!({})), None);
    }
}
