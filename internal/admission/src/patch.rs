//! JSON patches (RFC 6902), as far as webhooks need them: nothing is taken away.

use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Refusal;

/// One step of a patch: adds a member, in place of one that is there, or an element of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Operation {
    op: &'static str,
    path: String,
    value: Value,
}

impl Operation {
    fn add(path: String, value: Value) -> Self {
        Self { op: "add", path, value }
    }
}

/// Sets what is at the end of a path of members. Members on the way that are missing are made, which may be all but the
/// object itself.
///
/// # Errors
///
/// [`Refusal::Malformed`] when something on the way is no map.
pub(crate) fn set(object: &Value, path: &[&str], value: Value) -> Result<Operation, Refusal> {
    let (parent, known) = descend(object, path)?;
    if !parent.is_object() {
        return Err(Refusal::malformed(&dotted(&path[..known]), "a map"));
    }
    let missing = path.get(known + 1..).unwrap_or_default();
    let value = missing.iter().rev().fold(value, |value, key| json!({ (*key): value }));
    Ok(Operation::add(pointer(&path[..path.len().min(known + 1)]), value))
}

/// Adds an element to the end of the list at the end of a path.
///
/// # Errors
///
/// [`Refusal::Malformed`] when something on the way is no map, or its end no list.
pub(crate) fn append(object: &Value, path: &[&str], element: Value) -> Result<Operation, Refusal> {
    match at(object, path) {
        None | Some(Value::Null) => set(object, path, Value::Array(vec![element])),
        Some(Value::Array(_)) => Ok(Operation::add(format!("{}/-", pointer(path)), element)),
        Some(_) => Err(Refusal::malformed(&dotted(path), "a list")),
    }
}

/// What is at the end of a path.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// The last thing on the way that is there, before the end, and how many steps lead to it.
fn descend<'a>(object: &'a Value, path: &[&str]) -> Result<(&'a Value, usize), Refusal> {
    if !object.is_object() {
        return Err(Refusal::malformed("object", "a map"));
    }
    let mut here = (object, 0);
    for key in path.iter().take(path.len().saturating_sub(1)) {
        match here.0.get(key) {
            None | Some(Value::Null) => break,
            Some(next) => here = (next, here.1 + 1),
        }
    }
    Ok(here)
}

fn pointer(path: &[&str]) -> String {
    path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

pub(crate) fn dotted(path: &[&str]) -> String {
    path.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(object: &Value, operation: Result<Operation, Refusal>) -> Value {
        let patch: json_patch::Patch = serde_json::from_value(json!([operation.unwrap()])).unwrap();
        let mut patched = object.clone();
        json_patch::patch(&mut patched, &patch).unwrap();
        patched
    }

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        for (object, expected) in [
            (json!({}), json!({"a": {"b/c": {"~d": 1}}})),
            (json!({"a": null}), json!({"a": {"b/c": {"~d": 1}}})),
            (json!({"a": {"x": 0}}), json!({"a": {"x": 0, "b/c": {"~d": 1}}})),
            (json!({"a": {"b/c": {"~d": 7, "x": 0}}}), json!({"a": {"b/c": {"~d": 1, "x": 0}}})),
        ] {
            assert_eq!(patched(&object, set(&object, &["a", "b/c", "~d"], json!(1))), expected, "{object}");
        }
    }

    #[test]
    fn elements_go_to_the_end() {
        for (object, expected) in [
            (json!({"a": {}}), json!({"a": {"b": [1]}})),
            (json!({"a": {"b": null}}), json!({"a": {"b": [1]}})),
            (json!({"a": {"b": []}}), json!({"a": {"b": [1]}})),
            (json!({"a": {"b": [0, 5]}}), json!({"a": {"b": [0, 5, 1]}})),
        ] {
            assert_eq!(patched(&object, append(&object, &["a", "b"], json!(1))), expected, "{object}");
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let refused = |path: &str, expected| Err(Refusal::malformed(path, expected));
        assert_eq!(set(&json!(1), &["a"], json!(1)), refused("object", "a map"));
        assert_eq!(set(&json!({"a": [1]}), &["a", "b"], json!(1)), refused("a", "a map"));
        assert_eq!(set(&json!({"a": {"b": "c"}}), &["a", "b", "c", "d"], json!(1)), refused("a.b", "a map"));
        assert_eq!(append(&json!({"a": {"b": {}}}), &["a", "b"], json!(1)), refused("a.b", "a list"));
        assert_eq!(append(&json!({"a": "x"}), &["a", "b"], json!(1)), refused("a", "a map"));
    }
}
