//! ConfigMaps: data, labels and annotations; the one with the certificate authority under another name.

use serde_json::Value;

use crate::difference::Field;
use crate::metadata::{Metadata, gate};
use crate::names::ROOT_CA_CONFIG_MAP;
use crate::{Context, Forged, ReflectError, Resource, Why, fields};

/// Fields of the remote ConfigMap that are ours.
pub const FIELDS: &[Field] =
    &[Field::whole("/data"), Field::whole("/binaryData"), Field::given("/immutable")];

/// Characters of the home cluster's ID that the name of its certificate authority ends with.
const ID_CHARACTERS: usize = 5;

/// The remote ConfigMap of a ConfigMap.
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the object is no map.
pub fn remote(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Result<Forged, ReflectError> {
    if let Some(decided) = gate(home, existing, context) {
        return Ok(decided);
    }
    let mut metadata = Metadata::reflected(home, context);
    metadata.name = remote_name(&metadata.name, context);
    let mut body = fields::object(Resource::CONFIG_MAP, metadata.into_value());
    fields::copy(fields::map(home, "")?, &["data", "binaryData", "immutable"], &mut body);
    Ok(settle(body.into(), existing, FIELDS))
}

/// The name of a ConfigMap in the remote cluster: every namespace there has the certificate authority of that cluster
/// already.
#[must_use]
pub fn remote_name(name: &str, context: &Context<'_>) -> String {
    if name == ROOT_CA_CONFIG_MAP { root_ca_name(context) } else { name.to_owned() }
}

/// The name at home of a remote ConfigMap, or nothing for the certificate authority of the remote cluster.
#[must_use]
pub fn home_name(name: &str, context: &Context<'_>) -> Option<String> {
    if name == root_ca_name(context) {
        return Some(ROOT_CA_CONFIG_MAP.to_owned());
    }
    (name != ROOT_CA_CONFIG_MAP).then(|| name.to_owned())
}

fn root_ca_name(context: &Context<'_>) -> String {
    let id: String = context.home.id.as_str().chars().take(ID_CHARACTERS).collect();
    format!("{ROOT_CA_CONFIG_MAP}.{id}")
}

/// The forged object, unless the existing one was frozen with other content: it has to be made anew then.
pub(super) fn settle(body: Value, existing: Option<&Value>, content: &[Field]) -> Forged {
    let is_frozen = |object: &Value| object.get("immutable") == Some(&Value::Bool(true));
    if let Some(existing) = existing.filter(|existing| is_frozen(existing)) {
        if !is_frozen(&body) {
            return Forged::Absent(Why::Immutable("immutable"));
        }
        if content.iter().any(|field| field.change(existing, &body).is_some()) {
            return Forged::Absent(Why::Immutable("data"));
        }
    }
    Forged::Object(body)
}
