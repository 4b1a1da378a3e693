//! Amounts of resources: in thousandths for decisions, and by value for digests.

use std::collections::BTreeMap;

use liqo_model::crd::Quantity;
use serde_json::{Map, Value};

use super::fields::{Fields, Read};

/// Billionths in a thousandth.
const MILLI: i128 = 1_000_000;

/// The amount that a value spells, in billionths; nothing when it is none.
pub(crate) fn billionths(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => Quantity::from(text.as_str()).billionths(),
        Value::Number(number) => Quantity::from(number.to_string().as_str()).billionths(),
        _ => None,
    }
}

/// Amounts by name, in thousandths of the unit, rounded up.
pub(super) fn thousandths(object: &Fields<'_>, path: &str) -> Read<BTreeMap<String, u64>> {
    let entries = object.entries(path)?.into_iter();
    let read = entries.map(|(name, amount)| {
        let known = billionths(amount.value()).filter(|amount| *amount >= 0);
        let known = known.ok_or_else(|| amount.refuse_itself("is no quantity"))?;
        let whole = known / MILLI + i128::from(known % MILLI != 0);
        Ok((name.to_owned(), u64::try_from(whole).unwrap_or(u64::MAX)))
    });
    read.collect()
}

/// The spec of an offer with every amount in one spelling: API servers change it.
pub(crate) fn normalised(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for path in ["/resourceQuota/hard", "/prices"] {
        if let Some(Value::Object(amounts)) = spec.pointer_mut(path) {
            amounts.values_mut().for_each(respell);
        }
    }
    spec
}

fn respell(value: &mut Value) {
    if let Some(amount) = billionths(value) {
        *value = format!("{amount}n").into();
    }
}

/// The wanted spec of an offer in the spelling of the existing one, wherever they mean the same.
pub(crate) fn spelt_as(existing: &Value, mut wanted: Value) -> Value {
    for path in ["/resourceQuota/hard", "/prices"] {
        let none = Map::new();
        let known = existing.pointer(path).and_then(Value::as_object).unwrap_or(&none);
        let Some(Value::Object(amounts)) = wanted.pointer_mut(path) else { continue };
        for (name, amount) in amounts {
            let known = known.get(name).filter(|known| billionths(known) == billionths(amount));
            if let Some(known) = known.filter(|known| billionths(known).is_some()) {
                *amount = known.clone();
            }
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_count_by_value() {
        let one = json!({"resourceQuota": {"hard": {"cpu": "3600m", "memory": "45404M"}}, "clusterId": "a"});
        let other =
            json!({"resourceQuota": {"hard": {"cpu": "3.6", "memory": "45404000000"}}, "clusterId": "a"});
        assert_eq!(normalised(&one), normalised(&other));
        assert_eq!(spelt_as(&one, other), one);
        let more = json!({"resourceQuota": {"hard": {"cpu": "3601m", "odd": "x"}}});
        assert_ne!(normalised(&one), normalised(&more));
        assert_eq!(spelt_as(&one, more.clone()), more);
    }

    #[test]
    fn amounts_are_read_in_thousandths() {
        let body = json!({"a": {"cpu": "3600m", "memory": "1Ki", "pods": 110, "tiny": "1u"}});
        let read = thousandths(&Fields::new(&body), "a").unwrap();
        let expected = [("cpu", 3600), ("memory", 1_024_000), ("pods", 110_000), ("tiny", 1)];
        assert_eq!(read, expected.map(|(name, amount)| (name.to_owned(), amount)).into());
        let wrong = json!({"a": {"cpu": "many"}});
        let wrong = thousandths(&Fields::new(&wrong), "a").unwrap_err();
        assert_eq!(wrong.to_string(), "a.cpu is no quantity");
        assert!(thousandths(&Fields::new(&json!({"a": {"cpu": "-1"}})), "a").is_err());
    }
}
