//! Secrets of every type but tokens of service accounts.

use liqo_api::labels::{SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_POD_NAME};
use serde_json::Value;

use super::config_map::settle;
use crate::difference::Field;
use crate::metadata::{Metadata, gate};
use crate::names::SERVICE_ACCOUNT_TOKEN;
use crate::{Context, Forged, ReflectError, Resource, Why, fields};

/// Fields of the remote Secret that are ours.
pub const FIELDS: &[Field] = &[Field::whole("/data"), Field::given("/type"), Field::given("/immutable")];

/// The remote Secret of a Secret.
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the object is no map.
pub fn remote(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Result<Forged, ReflectError> {
    let kind = fields::text(home, "/type");
    if kind == SERVICE_ACCOUNT_TOKEN || existing.is_some_and(holds_tokens) {
        return Ok(Forged::Skip(Why::HoldsTokens));
    }
    if let Some(decided) = gate(home, existing, context) {
        return Ok(decided);
    }
    if existing.is_some_and(|existing| !kind.is_empty() && fields::text(existing, "/type") != kind) {
        return Ok(Forged::Absent(Why::Immutable("type")));
    }
    let metadata = Metadata::reflected(home, context).into_value();
    let mut body = fields::object(Resource::SECRET, metadata);
    fields::copy(fields::map(home, "")?, &["data", "type", "immutable"], &mut body);
    Ok(settle(body.into(), existing, FIELDS))
}

/// Whether a remote Secret is one that holds the tokens of a pod.
#[must_use]
pub fn holds_tokens(remote: &Value) -> bool {
    [SERVICE_ACCOUNT_POD_NAME, SERVICE_ACCOUNT_NAME].iter().all(|key| fields::label(remote, key).is_some())
}
