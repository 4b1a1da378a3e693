//! Conditions as the CRDs write them.

use liqo_events::{Condition, UnixMillis, rfc3339_seconds};
use serde_json::{Map, Value, json};

/// A list of conditions. One that says what it said before keeps its moment: planned again after a crash, it has another
/// one, and would be a write that says nothing.
pub(super) fn list(conditions: &[Condition], known: &Value) -> Value {
    let known = known.as_array().map(Vec::as_slice).unwrap_or_default();
    let as_known = |wanted: Value| {
        let same = known.iter().find(|known| timeless(known) == timeless(&wanted));
        same.cloned().unwrap_or(wanted)
    };
    conditions.iter().map(one).map(as_known).collect()
}

/// What a condition says, without when it began to.
fn timeless(condition: &Value) -> [&str; 4] {
    ["type", "status", "reason", "message"].map(|key| condition[key].as_str().unwrap_or_default())
}

/// What is empty is left out, as in Go: a moment that is not known, a reason or message that says nothing.
fn one(condition: &Condition) -> Value {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!(condition.kind));
    fields.insert("status".to_owned(), json!(condition.status));
    if condition.since != UnixMillis(0) {
        fields.insert("lastTransitionTime".to_owned(), json!(rfc3339_seconds(condition.since)));
    }
    for (key, text) in [("reason", &condition.reason), ("message", &condition.message)] {
        if !text.is_empty() {
            fields.insert(key.to_owned(), json!(text));
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out() {
        let condition = Condition {
            kind: "Ready".to_owned(),
            status: "True".to_owned(),
            reason: "Made".to_owned(),
            message: "it is there".to_owned(),
            since: UnixMillis(1_700_000_000_123),
        };
        let bare = Condition { kind: "Ready".to_owned(), status: "False".to_owned(), ..Condition::default() };
        let expected = json!([
            {
                "type": "Ready",
                "status": "True",
                "lastTransitionTime": "2023-11-14T22:13:20Z",
                "reason": "Made",
                "message": "it is there",
            },
            {"type": "Ready", "status": "False"},
        ]);
        assert_eq!(list(&[condition, bare], &Value::Null), expected);
    }

    #[test]
    fn what_was_said_before_keeps_its_moment() {
        let said = |status: &str, since| Condition {
            kind: "Ready".to_owned(),
            status: status.to_owned(),
            since: UnixMillis(since),
            ..Condition::default()
        };
        let known = list(&[said("True", 1_700_000_000_000)], &Value::Null);
        assert_eq!(list(&[said("True", 1_800_000_000_000)], &known), known);
        let changed = list(&[said("False", 1_800_000_000_000)], &known);
        assert_eq!(changed, list(&[said("False", 1_800_000_000_000)], &Value::Null));
    }
}
