//! The record of copied keys: which labels and annotations of a reflected object came from its home.
//!
//! Others write labels and annotations into reflected objects too. A key that is not at home any more is removed only
//! if the record says that it came from there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fields;
use crate::names::REFLECTED_KEYS;

/// Keys that were copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) labels: BTreeSet<String>,
    pub(crate) annotations: BTreeSet<String>,
}

impl Record {
    /// The record that an object carries; an unreadable one says nothing.
    pub(crate) fn of(object: &Value) -> Self {
        let text = fields::annotation(object, REFLECTED_KEYS).unwrap_or_default();
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let keys = |list: &str| {
            fields::items(&record, list).iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self { labels: keys("/labels"), annotations: keys("/annotations") }
    }

    /// The value of the annotation, or nothing when nothing was copied.
    pub(crate) fn text(&self) -> Option<String> {
        let is_empty = self.labels.is_empty() && self.annotations.is_empty();
        (!is_empty).then(|| json!({"annotations": self.annotations, "labels": self.labels}).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrying(text: &str) -> Value {
        json!({"metadata": {"annotations": {(REFLECTED_KEYS): text}}})
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let labels = BTreeSet::from(["app".to_owned(), "example.com/a".to_owned()]);
        let record = Record { labels, annotations: BTreeSet::new() };
        let text = record.text().unwrap();
        assert_eq!(text, r#"{"annotations":[],"labels":["app","example.com/a"]}"#);
        assert_eq!(Record::of(&carrying(&text)), record);
        assert_eq!(Record::default().text(), None);
    }

    #[test]
    fn a_record_that_somebody_damaged_says_nothing() {
        for text in ["", "{", "[]", "{\"labels\":1}", "{\"labels\":[1]}"] {
            assert_eq!(Record::of(&carrying(text)), Record::default(), "{text}");
        }
        assert_eq!(Record::of(&json!(null)), Record::default());
    }
}
