//! Reading fields of JSON: missing and null are the default, anything of another type is named with its path.

use std::collections::BTreeMap;
use std::fmt;

use liqo_events::{Condition, parse_rfc3339};
use serde_json::{Map, Value};

/// Most bytes of a value that are shown in a reason.
const LONGEST_SHOWN: usize = 64;

/// A field that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    path: String,
    problem: String,
}

impl Wrong {
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.path, self.problem)
    }
}

pub(super) type Read<T> = Result<T, Wrong>;

/// The beginning of a text, at most so many bytes and never half a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// An object, or a part of one, with the way to it.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Fields<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The value at `a.b.c`, where every part is a plain key.
    fn at(&self, path: &str) -> Read<&'a Value> {
        let mut found = self.value;
        let mut walked = self.path.clone();
        for key in path.split('.') {
            found = match found {
                Value::Null => return Ok(&Value::Null),
                Value::Object(map) => map.get(key).unwrap_or(&Value::Null),
                _ => return Err(Wrong::new(walked, "is no object")),
            };
            walked = join(&walked, key);
        }
        Ok(found)
    }

    fn wrong(&self, path: &str, problem: &str) -> Wrong {
        Wrong::new(join(&self.path, path), problem)
    }

    /// A text; empty when there is none.
    pub(super) fn text(&self, path: &str) -> Read<&'a str> {
        match self.at(path)? {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(path, "is no text")),
        }
    }

    /// A text of one's own type.
    pub(super) fn named<T: From<&'a str>>(&self, path: &str) -> Read<T> {
        self.text(path).map(T::from)
    }

    /// A whole number; 0 when there is none.
    pub(super) fn number(&self, path: &str) -> Read<i64> {
        match self.at(path)? {
            Value::Null => Ok(0),
            other => other.as_i64().ok_or_else(|| self.wrong(path, "is no whole number")),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self, path: &str, default: bool) -> Read<bool> {
        match self.at(path)? {
            Value::Null => Ok(default),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.wrong(path, "is neither true nor false")),
        }
    }

    /// One of a closed list of texts; the default when there is none.
    pub(super) fn choice<T: Copy + Default>(&self, path: &str, choices: &[(&str, T)]) -> Read<T> {
        let text = self.text(path)?;
        if text.is_empty() {
            return Ok(T::default());
        }
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        found.ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(path, &format!("is {:?}; use one of {}", cut(text, LONGEST_SHOWN), names.join(", ")))
        })
    }

    /// The entries of a map.
    pub(super) fn entries(&self, path: &str) -> Read<Vec<(&'a str, Fields<'a>)>> {
        let Some(map) = self.map(path)? else { return Ok(Vec::new()) };
        let below = join(&self.path, path);
        Ok(map.iter().map(|(key, value)| (key.as_str(), Fields { value, path: join(&below, key) })).collect())
    }

    /// The items of a list.
    pub(super) fn items(&self, path: &str) -> Read<Vec<Fields<'a>>> {
        let items = match self.at(path)? {
            Value::Null => return Ok(Vec::new()),
            Value::Array(items) => items,
            _ => return Err(self.wrong(path, "is no list")),
        };
        let below = join(&self.path, path);
        Ok(items
            .iter()
            .enumerate()
            .map(|(at, value)| Fields { value, path: format!("{below}[{at}]") })
            .collect())
    }

    /// What this is itself, as a text.
    pub(super) fn itself(&self) -> Read<&'a str> {
        self.value.as_str().ok_or_else(|| Wrong::new(self.path.clone(), "is no text"))
    }

    /// The JSON itself.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// The error about this itself.
    pub(super) fn refuse_itself(&self, problem: &str) -> Wrong {
        Wrong::new(self.path.clone(), problem)
    }

    /// Whether there is anything but null.
    pub(super) fn is_set(&self, path: &str) -> Read<bool> {
        self.at(path).map(|value| !value.is_null())
    }

    /// Anything, for those who read it themselves.
    pub(super) fn any(&self, path: &str) -> Read<&'a Value> {
        self.at(path)
    }

    /// The error about a field of this.
    pub(super) fn refuse(&self, path: &str, problem: &str) -> Wrong {
        self.wrong(path, problem)
    }

    /// Texts by texts, such as labels.
    pub(super) fn texts<T: FromIterator<(&'a str, &'a str)>>(&self, path: &str) -> Read<T> {
        self.entries(path)?.into_iter().map(|(key, value)| Ok((key, value.itself()?))).collect()
    }

    /// Texts by texts, for the few that are looked at one by one.
    pub(super) fn map_of_texts(&self, path: &str) -> Read<BTreeMap<String, String>> {
        let texts: Vec<(&str, &str)> = self.texts(path)?;
        Ok(texts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// A label; empty when it is not there.
    pub(super) fn label(&self, key: &str) -> Read<&'a str> {
        self.marked("metadata.labels", key).map(Option::unwrap_or_default)
    }

    /// Whether there is a label, whatever it says.
    pub(super) fn has_label(&self, key: &str) -> Read<bool> {
        self.marked("metadata.labels", key).map(|text| text.is_some())
    }

    /// An annotation; empty when it is not there.
    pub(super) fn annotation(&self, key: &str) -> Read<&'a str> {
        self.marked("metadata.annotations", key).map(Option::unwrap_or_default)
    }

    /// Whether there is an annotation, whatever it says.
    pub(super) fn has_annotation(&self, key: &str) -> Read<bool> {
        self.marked("metadata.annotations", key).map(|text| text.is_some())
    }

    /// Keys of labels and annotations have dots, so they are no paths.
    fn marked(&self, path: &str, key: &str) -> Read<Option<&'a str>> {
        let Some(marks) = self.map(path)? else { return Ok(None) };
        match marks.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(path, &format!("has a value for {key} that is no text"))),
        }
    }

    /// The finalizers.
    pub(super) fn finalizers(&self) -> Read<Vec<&'a str>> {
        self.items("metadata.finalizers")?.iter().map(Fields::itself).collect()
    }

    /// Whether a condition of the status is true.
    pub(super) fn condition_holds(&self, kind: &str) -> Read<bool> {
        for condition in self.items("status.conditions")? {
            if condition.text("type")? == kind {
                return Ok(condition.text("status")? == "True");
            }
        }
        Ok(false)
    }

    /// Conditions as they are. A moment that is none reads as 1970: no decision is made from it.
    pub(super) fn conditions(&self, path: &str) -> Read<Vec<Condition>> {
        self.items(path)?.iter().map(Fields::condition).collect()
    }

    /// The conditions that this, a list, is itself.
    pub(super) fn listed_conditions(&self) -> Read<Vec<Condition>> {
        let items = match self.value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(items) => items,
            _ => return Err(Wrong::new(self.path.clone(), "is no list")),
        };
        let item = |(at, value)| Fields { value, path: format!("{}[{at}]", self.path) };
        items.iter().enumerate().map(item).map(|item| item.condition()).collect()
    }

    fn condition(&self) -> Read<Condition> {
        if !self.value.is_object() {
            return Err(Wrong::new(self.path.clone(), "is no condition"));
        }
        Ok(Condition {
            kind: self.text("type")?.to_owned(),
            status: self.text("status")?.to_owned(),
            reason: self.text("reason")?.to_owned(),
            message: self.text("message")?.to_owned(),
            since: parse_rfc3339(self.text("lastTransitionTime")?).unwrap_or_default(),
        })
    }

    fn map(&self, path: &str) -> Read<Option<&'a Map<String, Value>>> {
        match self.at(path)? {
            Value::Null => Ok(None),
            Value::Object(map) => Ok(Some(map)),
            _ => Err(self.wrong(path, "is no map")),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_or_null_is_the_default() {
        let body = json!({"a": null});
        let fields = Fields::new(&body);
        assert_eq!(fields.text("a.b.c"), Ok(""));
        assert_eq!(fields.number("x"), Ok(0));
        assert_eq!(fields.flag("x", true), Ok(true));
        assert_eq!(fields.texts("metadata.labels"), Ok(Vec::new()));
        assert_eq!(fields.conditions("status.conditions"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_of_another_type_is_named_with_its_path() {
        let body = json!({"a": {"b": 7, "l": [{"c": {"d": []}}]}, "metadata": {"labels": {"x.y/z": 1}}});
        let fields = Fields::new(&body);
        assert_eq!(fields.text("a.b"), Err(Wrong::new("a.b", "is no text")));
        assert_eq!(fields.text("a.b.c"), Err(Wrong::new("a.b", "is no object")));
        assert_eq!(fields.number("a"), Err(Wrong::new("a", "is no whole number")));
        let items = fields.items("a.l").unwrap();
        assert_eq!(items[0].text("c.d"), Err(Wrong::new("a.l[0].c.d", "is no text")));
        let wrong = fields.label("x.y/z").unwrap_err();
        assert_eq!(wrong.to_string(), "metadata.labels has a value for x.y/z that is no text");
        assert!(
            fields
                .texts::<Vec<_>>("metadata.labels")
                .unwrap_err()
                .to_string()
                .starts_with("metadata.labels.x.y/z ")
        );
    }

    #[test]
    fn a_closed_list_says_what_may_be_used() {
        let body = json!({"a": "Sideways"});
        let wrong = Fields::new(&body).choice("a", &[("Up", 1), ("Down", 2)]).unwrap_err();
        assert_eq!(wrong.to_string(), "a is \"Sideways\"; use one of Up, Down");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("aéz", 2), "a");
        assert_eq!(cut("aéz", 3), "aé");
        assert_eq!(cut("aéz", 9), "aéz");
    }
}
