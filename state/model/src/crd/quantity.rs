//! Amounts of resources, as Kubernetes writes them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What the API server accepts as a quantity.
const PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";
/// Suffixes and how many billionths one unit of each is. A longer suffix comes before the one that it ends with.
const SUFFIXES: &[(&str, i128)] = &[
    ("Ki", 1_000_000_000 << 10),
    ("Mi", 1_000_000_000 << 20),
    ("Gi", 1_000_000_000 << 30),
    ("Ti", 1_000_000_000 << 40),
    ("Pi", 1_000_000_000 << 50),
    ("Ei", 1_000_000_000 << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", 1_000_000_000_000),
    ("M", 1_000_000_000_000_000),
    ("G", 1_000_000_000_000_000_000),
    ("T", 1_000_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000_000_000),
];
const UNIT: i128 = 1_000_000_000;

/// An amount such as `3600m` or `45404M`, in the spelling that was read.
///
/// Equality is of spelling. The API servers of two clusters spell one amount differently (`45404000000`, `45404M`), so
/// amounts are compared by [`Quantity::billionths`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Quantity(String);

impl Quantity {
    /// The amount as it is spelt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount in billionths of the unit, which every quantity can be written in; what is finer is rounded up, as
    /// Kubernetes does. [`None`] when the text is no quantity, or is one beyond what 127 bits hold.
    #[must_use]
    pub fn billionths(&self) -> Option<i128> {
        let (negative, text) = match self.0.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, self.0.strip_prefix('+').unwrap_or(&self.0)),
        };
        let number_ends = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(number_ends);
        let (mantissa, decimals) = mantissa(number)?;
        let magnitude = match suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty()) {
            Some(exponent) => scaled(mantissa, UNIT, exponent.parse::<i32>().ok()?.checked_sub(decimals)?)?,
            None if suffix.is_empty() => scaled(mantissa, UNIT, -decimals)?,
            None => {
                let (_, unit) = SUFFIXES.iter().find(|(name, _)| *name == suffix)?;
                scaled(mantissa, *unit, -decimals)?
            }
        };
        Some(if negative { -magnitude } else { magnitude })
    }
}

/// Digits of a decimal number and how many of them are behind the point.
fn mantissa(number: &str) -> Option<(i128, i32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || whole.len() + fraction.len() == 0 {
        return None;
    }
    Some((format!("{whole}{fraction}").parse().ok()?, i32::try_from(fraction.len()).ok()?))
}

/// `mantissa * unit * 10^exponent`, rounded up.
fn scaled(mantissa: i128, unit: i128, exponent: i32) -> Option<i128> {
    let product = mantissa.checked_mul(unit)?;
    match (10_i128.checked_pow(exponent.unsigned_abs()), exponent >= 0) {
        (Some(power), true) => product.checked_mul(power),
        (Some(power), false) => Some(product / power + i128::from(product % power != 0)),
        (None, true) => Some(0).filter(|_| product == 0),
        (None, false) => Some(i128::from(product != 0)),
    }
}

impl From<&str> for Quantity {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// Takes numbers too, which users write and the API server keeps.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(Error::invalid_type(
                Unexpected::Other(kind_of(&other)),
                &"a quantity such as 500m, 2Gi or 3",
            )),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"pattern": PATTERN, "x-kubernetes-int-or-string": true})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_every_notation() {
        let billionths = |text| Quantity::from(text).billionths();
        for (text, expected) in [
            ("3", 3_000_000_000),
            ("3600m", 3_600_000_000),
            ("1.5", 1_500_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("+2k", 2_000_000_000_000),
            ("-1Ki", -1_024_000_000_000),
            ("1.5Gi", 1_610_612_736_000_000_000),
            ("2e3", 2_000_000_000_000),
            ("2E-3", 2_000_000),
            ("1E", 1_000_000_000_000_000_000_000_000_000),
            ("7n", 7),
            ("0.0000000001", 1),
            ("0", 0),
            ("0e99", 0),
            ("1e-99", 1),
        ] {
            assert_eq!(billionths(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn one_amount_in_two_spellings_is_one_amount() {
        let (long, short) = (Quantity::from("45404000000"), Quantity::from("45404M"));
        assert_ne!(long, short);
        assert_eq!(long.billionths(), short.billionths());
    }

    #[test]
    fn what_is_no_amount_has_none() {
        for text in
            ["", "-", ".", "1..2", "1.2.3", "Gi", "1 Gi", "1gi", "1e", "1e1.5", "1e99", "--1", "0x10", "1mm"]
        {
            assert_eq!(Quantity::from(text).billionths(), None, "{text}");
        }
    }
}
