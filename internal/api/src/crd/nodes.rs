//! Walks the nodes of a schema.

use serde_json::{Map, Value};

/// A node of a schema: its keywords.
pub(super) type Node = Map<String, Value>;

/// Calls `visit` for every node of `schema`, a parent before its children, so that children which `visit` puts in are
/// visited too.
pub(super) fn for_each(schema: &mut Value, visit: &mut impl FnMut(&mut Node)) {
    let Some(node) = schema.as_object_mut() else { return };
    visit(node);
    if let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|child| for_each(child, visit));
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(child) = node.get_mut(keyword) {
            for_each(child, visit);
        }
    }
}

/// Says of a node that is a number or a text which of them it may be, as the API server wants it spelt.
pub(super) fn spell_int_or_string(node: &mut Node) {
    if node.contains_key("x-kubernetes-int-or-string") {
        node.insert("anyOf".to_owned(), serde_json::json!([{"type": "integer"}, {"type": "string"}]));
    }
}
