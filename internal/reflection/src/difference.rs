//! Whether an object differs from what was forged, and the smallest patch that makes it equal.
//!
//! Only fields that are ours count. Labels and annotations: those that were forged, and those that the record of
//! copied keys names and that are not forged any more. Content: the [`Field`]s of the kind, each with a [`Mode`] that
//! says how far it is ours. The result is a JSON merge patch (RFC 7386): what it does not name stays as it is,
//! unknown fields included.

mod mode;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::names::{LAST_CHANGE_TRIGGER_TIME, REFLECTED_KEYS};
use crate::record::Record;

pub use mode::Mode;

/// A field of a kind that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// JSON pointer of the field; its parts hold no escapes.
    pub path: &'static str,
    /// How far it is ours.
    pub mode: Mode,
}

impl Field {
    pub(crate) const fn whole(path: &'static str) -> Self {
        Self { path, mode: Mode::Whole }
    }

    pub(crate) const fn given(path: &'static str) -> Self {
        Self { path, mode: Mode::Given }
    }

    /// What has to change in this field, as a merge patch of it.
    pub(crate) fn change(&self, existing: &Value, wanted: &Value) -> Option<Value> {
        self.mode.change(existing.pointer(self.path), wanted.pointer(self.path))
    }
}

/// The merge patch that gives the existing object the fields that are wanted; nothing when it has them.
///
/// Applied to the object it was made for, it leads to one that needs no patch. It is to be written under the
/// precondition that the object still is that one.
#[must_use]
pub fn patch(existing: &Value, wanted: &Value, fields: &[Field]) -> Option<Value> {
    let mut patch = Map::new();
    let record = Record::of(existing);
    let stale = |keys: &mut dyn Iterator<Item = &String>| keys.cloned().collect::<Vec<_>>();
    let mut annotations = stale(&mut record.annotations.iter());
    annotations.push(REFLECTED_KEYS.to_owned());
    let labels = stale(&mut record.labels.iter());
    for (path, gone) in [("/metadata/labels", labels), ("/metadata/annotations", annotations)] {
        let change = keys(existing.pointer(path), wanted.pointer(path), &gone);
        put(&mut patch, path, change);
    }
    if is_quiet(&patch) {
        patch.clear();
    }
    for field in fields {
        put(&mut patch, field.path, field.change(existing, wanted));
    }
    (!patch.is_empty()).then(|| patch.into())
}

/// Whether the object differs from what is wanted in a field that is ours.
#[must_use]
pub fn differs(existing: &Value, wanted: &Value, fields: &[Field]) -> bool {
    patch(existing, wanted, fields).is_some()
}

/// The change of a map of which the wanted keys and the `recorded` ones are ours.
fn keys(existing: Option<&Value>, wanted: Option<&Value>, recorded: &[String]) -> Option<Value> {
    let none = Map::new();
    let of = |map: Option<&'_ Value>| map.and_then(Value::as_object).cloned();
    let (existing, wanted) = (of(existing).unwrap_or_else(|| none.clone()), of(wanted).unwrap_or(none));
    let mut change: Map<String, Value> =
        wanted.iter().filter(|(key, value)| existing.get(*key) != Some(value)).map(cloned).collect();
    let gone = recorded.iter().filter(|key| existing.contains_key(*key) && !wanted.contains_key(*key));
    change.extend(gone.map(|key| (key.clone(), Value::Null)));
    (!change.is_empty()).then(|| change.into())
}

fn cloned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// Nothing changed but a time stamp that Kubernetes renews with every change of an endpoint, those included that are
/// native to the peer: a write for each would be traffic between clusters that nobody reads.
fn is_quiet(patch: &Map<String, Value>) -> bool {
    let changes = Value::Object(patch.clone());
    let annotations = changes.pointer("/metadata/annotations").and_then(Value::as_object);
    changes.pointer("/metadata/labels").is_none()
        && annotations.is_some_and(|changed| changed.keys().all(|key| key == LAST_CHANGE_TRIGGER_TIME))
}

/// Puts a value at the pointer, making the maps above it.
fn put(target: &mut Map<String, Value>, pointer: &str, value: Option<Value>) {
    let Some(value) = value else { return };
    let path = pointer.trim_start_matches('/');
    match path.split_once('/') {
        None => {
            target.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = target.entry(first).or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                put(inner, rest, Some(value));
            }
        }
    }
}
