//! JSON trees in tests.

use serde_json::{Map, Value, json};

/// Writes fields over an object, as a test describes how it differs from a usual one. Null removes a field.
pub(crate) fn with(mut object: Value, fields: &Value) -> Value {
    merge(&mut object, fields);
    object
}

/// What an API server does with a merge patch. Source: RFC 7386.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in fields {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// The object without the two annotations that are new here, which a recorded object cannot have.
pub(crate) fn without_news(mut object: Value) -> Value {
    let news = ["liqo.io/home-uid", "liqo.io/reflected-keys"];
    if let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") {
        annotations.retain(|key, _| !news.contains(&key.as_str()));
        if annotations.is_empty() {
            object["metadata"].as_object_mut().unwrap().remove("annotations");
        }
    }
    object
}

/// Those fields of the first tree that the second one has too, so that the two can be compared. Elements of lists are
/// told apart by their place.
pub(crate) fn common(tree: &Value, model: &Value) -> Value {
    match (tree, model) {
        (Value::Object(tree), Value::Object(model)) => {
            let both =
                tree.iter().filter_map(|(key, value)| Some((key.clone(), common(value, model.get(key)?))));
            both.collect::<Map<_, _>>().into()
        }
        (Value::Array(tree), Value::Array(model)) => {
            let rest = std::iter::repeat(&Value::Null);
            tree.iter().zip(model.iter().chain(rest)).map(|(tree, model)| common(tree, model)).collect()
        }
        (tree, _) => tree.clone(),
    }
}
