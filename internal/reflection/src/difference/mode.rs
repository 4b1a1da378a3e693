//! How far a field is ours, and what has to change in it.

use liqo_model::crd::Quantity;
use serde_json::{Map, Value};

/// How far a field is ours. A change is a merge patch of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All of it: it is exactly as wanted, and not there when nothing is wanted.
    Whole,
    /// What is named: the rest is what the API server fills in. A zero value and none are the same. A list that
    /// differs is replaced.
    Given,
    /// A list of exactly the wanted elements in their order, told apart by these keys. Fields of an element that are
    /// not named are kept.
    Elements(&'static [&'static str]),
    /// A list that holds the wanted elements, told apart by the first keys; others may be in it. A difference in the
    /// second keys alone is none.
    Members(&'static [&'static str], &'static [&'static str]),
    /// A map of exactly the wanted amounts, compared by value. Nothing wanted leaves it alone, an empty map empties
    /// it.
    Quantities,
}

impl Mode {
    /// What has to change, or nothing.
    pub(crate) fn change(self, existing: Option<&Value>, wanted: Option<&Value>) -> Option<Value> {
        match self {
            Self::Whole => whole_field(existing, wanted),
            Self::Given => given(existing, wanted?),
            Self::Elements(by) => elements(array(existing), array(wanted), by),
            Self::Members(by, but) => members(array(existing), array(wanted), by, but),
            Self::Quantities => quantities(existing, wanted?),
        }
    }
}

fn whole_field(existing: Option<&Value>, wanted: Option<&Value>) -> Option<Value> {
    match (existing.filter(|value| !is_empty(value)), wanted.filter(|value| !is_empty(value))) {
        (None, None) => None,
        (Some(_), None) => Some(Value::Null),
        (None, Some(wanted)) => Some(wanted.clone()),
        (Some(existing), Some(wanted)) => whole(existing, wanted),
    }
}

/// Inside of a field only null means absent: an empty map may be a choice, as in `emptyDir: {}`.
fn whole(existing: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(now), Value::Object(then)) = (existing, wanted) else {
        return (!is_same(existing, wanted)).then(|| wanted.clone());
    };
    let mut change = Map::new();
    for (key, wanted) in then.iter().filter(|(_, value)| !value.is_null()) {
        let part = match now.get(key).filter(|value| !value.is_null()) {
            Some(existing) => whole(existing, wanted),
            None => Some(wanted.clone()),
        };
        change.extend(part.map(|part| (key.clone(), part)));
    }
    let is_gone = |key: &String| then.get(key).is_none_or(Value::is_null);
    let gone = now.iter().filter(|(key, value)| !value.is_null() && is_gone(key));
    change.extend(gone.map(|(key, _)| (key.clone(), Value::Null)));
    (!change.is_empty()).then(|| change.into())
}

/// Equality in which a key that is null is a key that is not there.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let has = |map: &Map<String, Value>, key: &str, value: &Value| {
                is_same(value, map.get(key).unwrap_or(&Value::Null))
            };
            one.iter().all(|(key, value)| has(other, key, value))
                && other.iter().all(|(key, value)| has(one, key, value))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (one, other) => one == other,
    }
}

fn given(existing: Option<&Value>, wanted: &Value) -> Option<Value> {
    match (existing, wanted) {
        (_, Value::Null) => None,
        (Some(Value::Object(existing)), Value::Object(wanted)) => {
            let parts =
                wanted.iter().filter_map(|(key, part)| Some((key.clone(), given(existing.get(key), part)?)));
            let change: Map<String, Value> = parts.collect();
            (!change.is_empty()).then(|| change.into())
        }
        (Some(Value::Array(existing)), Value::Array(wanted)) => {
            let is_given = existing.len() == wanted.len()
                && existing
                    .iter()
                    .zip(wanted)
                    .all(|(existing, wanted)| given(Some(existing), wanted).is_none());
            (!is_given).then(|| wanted.clone().into())
        }
        (existing, wanted) => {
            let is_given = match existing {
                Some(existing) if !is_zero(existing) => existing == wanted,
                _ => is_zero(wanted),
            };
            (!is_given).then(|| wanted.clone())
        }
    }
}

fn elements(existing: &[Value], wanted: &[Value], by: &[&str]) -> Option<Value> {
    let is_given = |(existing, wanted): (&Value, &Value)| {
        is_one(existing, wanted, by) && given(Some(existing), wanted).is_none()
    };
    if existing.len() == wanted.len() && existing.iter().zip(wanted).all(is_given) {
        return None;
    }
    let merged = wanted.iter().map(|wanted| {
        existing
            .iter()
            .find(|existing| is_one(existing, wanted, by))
            .map_or_else(|| wanted.clone(), |existing| merged(existing, wanted))
    });
    Some(merged.collect())
}

fn members(existing: &[Value], wanted: &[Value], by: &[&str], but: &[&str]) -> Option<Value> {
    let mut list = existing.to_vec();
    let mut is_changed = false;
    for wanted in wanted {
        if let Some(place) = list.iter_mut().find(|member| is_one(member, wanted, by)) {
            is_changed |= given(Some(place), &without(wanted, but)).is_some();
            *place = merged(place, wanted);
        } else {
            is_changed = true;
            list.push(wanted.clone());
        }
    }
    is_changed.then(|| list.into())
}

fn without(element: &Value, keys: &[&str]) -> Value {
    let mut rest = element.clone();
    if let Value::Object(fields) = &mut rest {
        fields.retain(|key, _| !keys.contains(&key.as_str()));
    }
    rest
}

/// Two elements of lists are one when they agree in the keys.
fn is_one(one: &Value, other: &Value, by: &[&str]) -> bool {
    by.iter().all(|key| one.get(key).unwrap_or(&Value::Null) == other.get(key).unwrap_or(&Value::Null))
}

/// The existing value with what is wanted written over it.
fn merged(existing: &Value, wanted: &Value) -> Value {
    let (Value::Object(existing), Value::Object(wanted)) = (existing, wanted) else { return wanted.clone() };
    let mut result = existing.clone();
    for (key, part) in wanted {
        let part = existing.get(key).map_or_else(|| part.clone(), |existing| merged(existing, part));
        result.insert(key.clone(), part);
    }
    result.into()
}

fn quantities(existing: Option<&Value>, wanted: &Value) -> Option<Value> {
    let none = Map::new();
    let existing = existing.and_then(Value::as_object).unwrap_or(&none);
    let wanted = wanted.as_object().unwrap_or(&none);
    let mut change = Map::new();
    let is_wanted = |key: &String| wanted.get(key).is_some_and(|amount| !amount.is_null());
    for (key, amount) in wanted.iter().filter(|(key, _)| is_wanted(key)) {
        if existing.get(key).is_none_or(|known| !is_same_amount(known, amount)) {
            change.insert(key.clone(), amount.clone());
        }
    }
    let gone = existing.iter().filter(|(key, amount)| !amount.is_null() && !is_wanted(key));
    change.extend(gone.map(|(key, _)| (key.clone(), Value::Null)));
    (!change.is_empty()).then(|| change.into())
}

/// The API servers of two clusters spell one amount differently.
fn is_same_amount(one: &Value, other: &Value) -> bool {
    one == other || amount(one).is_some_and(|one| Some(one) == amount(other))
}

fn amount(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => Quantity::from(text.as_str()).billionths(),
        Value::Number(number) => Quantity::from(number.to_string().as_str()).billionths(),
        _ => None,
    }
}

fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(Value::is_null),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_zero(value: &Value) -> bool {
    is_empty(value) || *value == Value::Bool(false) || value.as_i64() == Some(0)
}
