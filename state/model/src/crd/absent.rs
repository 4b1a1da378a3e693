//! What Go leaves out or writes as null, and the schema details that serde attributes cannot say.

use schemars::Schema;
use serde::{Deserialize, Deserializer};

/// Reads null as the default; `#[serde(default)]` beside it does the same for a missing field.
///
/// # Errors
/// What the value's own deserialisation reports.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The value is what a missing field reads as, so it need not be written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Removes the width of an integer from its schema, where the type in Go is the plain `int`.
pub(super) fn without_format(schema: &mut Schema) {
    schema.remove("format");
}
