//! Collecting violations.

use serde_json::{Map, Value};

use super::{PodPolicy, Rule, Violation};

/// Most violations that are reported of one pod: enough to correct it, and bounded for one that is made of them.
const MOST: usize = 64;

/// Violations in the making.
pub(super) struct Inspection<'a> {
    policy: &'a PodPolicy,
    pub(super) found: Vec<Violation>,
}

impl<'a> Inspection<'a> {
    pub(super) fn new(policy: &'a PodPolicy) -> Self {
        Self { policy, found: Vec::new() }
    }

    pub(super) fn report(&mut self, rule: Rule, path: &str, message: impl Into<String>) {
        let is_lifted = rule.is_liftable() && self.policy.allowed.contains(&rule);
        if !is_lifted && self.found.len() < MOST {
            self.found.push(Violation { rule, path: path.to_owned(), message: message.into() });
        }
    }

    pub(super) fn malformed(&mut self, path: &str, expected: &str) {
        self.report(Rule::Malformed, path, format!("is not {expected}"));
    }

    /// Reports a flag that is set to anything but false.
    pub(super) fn flag(&mut self, rule: Rule, of: &Value, path: &str, key: &str) {
        if !matches!(of.get(key), None | Some(Value::Null | Value::Bool(false))) {
            self.report(rule, &format!("{path}.{key}"), "is set");
        }
    }

    /// A text, empty when there is none; what is no text is reported and is nothing.
    pub(super) fn text<'v>(&mut self, of: &'v Value, path: &str, key: &str) -> Option<&'v str> {
        match of.get(key) {
            None | Some(Value::Null) => Some(""),
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.malformed(&format!("{path}.{key}"), "a text");
                None
            }
        }
    }

    /// Reports a text that is none of those allowed; none at all is allowed.
    pub(super) fn one_of(&mut self, rule: Rule, of: &Value, at: (&str, &str), allowed: &[&str]) {
        let (path, key) = at;
        let Some(text) = self.text(of, path, key) else { return };
        if text.is_empty() || allowed.contains(&text) {
            return;
        }
        let message = match allowed {
            [] => "is set".to_owned(),
            allowed => format!("is none of the allowed: {}", allowed.join(", ")),
        };
        self.report(rule, &format!("{path}.{key}"), message);
    }

    /// Reports a number that is set to anything but zero.
    pub(super) fn zero(&mut self, rule: Rule, of: &Value, path: &str, key: &str) {
        let number = of.get(key).unwrap_or(&Value::Null);
        if !number.is_null() && number.as_i64() != Some(0) {
            self.report(rule, &format!("{path}.{key}"), "is set");
        }
    }

    /// The elements of a list, each with its path.
    pub(super) fn list<'v>(&mut self, of: &'v Value, path: &str, key: &str) -> Vec<(String, &'v Value)> {
        match of.get(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                let at = |(place, item)| (format!("{path}.{key}[{place}]"), item);
                items.iter().enumerate().map(at).collect()
            }
            Some(_) => {
                self.malformed(&format!("{path}.{key}"), "a list");
                Vec::new()
            }
        }
    }

    /// A map that may be missing.
    pub(super) fn map<'v>(&mut self, of: &'v Value, path: &str, key: &str) -> Option<(String, &'v Value)> {
        match of.get(key) {
            None | Some(Value::Null) => None,
            Some(value @ Value::Object(_)) => Some((format!("{path}.{key}"), value)),
            Some(_) => {
                self.malformed(&format!("{path}.{key}"), "a map");
                None
            }
        }
    }

    /// The fields of a value that has to be a map.
    pub(super) fn fields<'v>(&mut self, value: &'v Value, path: &str) -> Option<&'v Map<String, Value>> {
        let fields = value.as_object();
        if fields.is_none() {
            self.malformed(path, "a map");
        }
        fields
    }
}
