//! Secrets of our own: read, or made when there is none yet.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_model::Kind;
use serde_json::{Value, json};

use crate::client::{Place, Urgency, Verb};
use crate::{ApiServer, Refusal};

/// What a Secret holds. It is neither shown nor written anywhere.
pub struct SecretData(BTreeMap<String, Vec<u8>>);

impl SecretData {
    /// Everything that it holds.
    pub fn into_inner(self) -> BTreeMap<String, Vec<u8>> {
        self.0
    }

    /// The bytes of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }
}

/// Reads a Secret. When there is none, makes it with what `make` gives; of two processes that do so at once, both get what
/// the faster one made.
///
/// # Errors
///
/// [`Refusal`] of the API server, for instance 403 when the process may not read or create it.
pub async fn secret_or_create(
    server: &ApiServer,
    namespace: &str,
    name: &str,
    make: impl FnOnce() -> BTreeMap<String, Vec<u8>>,
) -> Result<SecretData, Refusal> {
    let place = Place { kind: Kind::Secret, namespace };
    match server.object(Verb::Get, Urgency::Normal, place.get(name)?).await {
        Ok(found) => return Ok(data_of(&found.body)),
        Err(refusal) if refusal.code() == 404 => {}
        Err(refusal) => return Err(refusal),
    }
    let made = make();
    let data: BTreeMap<&String, String> =
        made.iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": data,
    });
    match server.object(Verb::Create, Urgency::Normal, place.create(&object)?).await {
        Ok(_) => Ok(SecretData(made)),
        Err(refusal) if refusal.code() == 409 => {
            let found = server.object(Verb::Get, Urgency::Normal, place.get(name)?).await?;
            Ok(data_of(&found.body))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Reads a Secret; empty when there is none.
///
/// # Errors
///
/// [`Refusal`] of the API server.
pub async fn read_secret(server: &ApiServer, namespace: &str, name: &str) -> Result<SecretData, Refusal> {
    let place = Place { kind: Kind::Secret, namespace };
    match server.object(Verb::Get, Urgency::Normal, place.get(name)?).await {
        Ok(found) => Ok(data_of(&found.body)),
        Err(refusal) if refusal.code() == 404 => Ok(SecretData(BTreeMap::new())),
        Err(refusal) => Err(refusal),
    }
}

/// Makes a Secret hold this, whatever it held.
///
/// # Errors
///
/// [`Refusal`] of the API server.
pub async fn keep_secret(
    server: &ApiServer,
    namespace: &str,
    name: &str,
    data: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Refusal> {
    let encoded: BTreeMap<&String, String> =
        data.iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
    let place = Place { kind: Kind::Secret, namespace };
    keep(server, place, name, json!({"type": "Opaque", "data": encoded})).await
}

async fn keep(server: &ApiServer, place: Place<'_>, name: &str, content: Value) -> Result<(), Refusal> {
    let patch = json!({"data": content["data"]});
    match server.object(Verb::Patch, Urgency::Normal, place.patch(name, false, &patch)?).await {
        Ok(_) => return Ok(()),
        Err(refusal) if refusal.code() == 404 => {}
        Err(refusal) => return Err(refusal),
    }
    let mut object = content;
    object["apiVersion"] = json!("v1");
    object["kind"] = json!(place.kind.as_str());
    object["metadata"] = json!({"name": name, "namespace": place.namespace});
    server.object(Verb::Create, Urgency::Normal, place.create(&object)?).await.map(|_| ())
}

/// What is no base64 is left out: the key then counts as missing, which its reader says.
fn data_of(body: &Value) -> SecretData {
    let fields = body["data"].as_object().into_iter().flatten();
    let decoded =
        fields.filter_map(|(key, value)| Some((key.clone(), STANDARD.decode(value.as_str()?).ok()?)));
    SecretData(decoded.collect())
}

/// Makes a ConfigMap say this, whatever it said.
///
/// # Errors
///
/// [`Refusal`] of the API server.
pub async fn publish_config(
    server: &ApiServer,
    namespace: &str,
    name: &str,
    data: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    keep(server, Place { kind: Kind::ConfigMap, namespace }, name, json!({"data": data})).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_decoded_and_damage_left_out() {
        let body = json!({"data": {"good": "aGk=", "bad": "***", "odd": 7}});
        let data = data_of(&body);
        assert_eq!(data.get("good"), Some(&b"hi"[..]));
        assert_eq!(data.get("bad"), None);
        assert_eq!(data.get("odd"), None);
        assert_eq!(data_of(&json!({})).get("good"), None);
    }
}
