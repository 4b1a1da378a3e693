//! What is kept in Kubernetes of tokens and identities, and by which writes.

mod issuing;
mod renewing;
mod store;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const ID: &str = "11111111-2222-4333-8444-555555555555";
const TENANT: &str = "liqo-tenant-fiction-cf4c47";

fn secret_path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

/// A Secret as an API server keeps it.
fn secret(metadata: Value, data: &BTreeMap<String, Vec<u8>>) -> Value {
    let data: BTreeMap<_, _> = data.iter().map(|(key, bytes)| (key, STANDARD.encode(bytes))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
}

/// What the Secret holds under a key.
fn held(secret: &Value, key: &str) -> Option<String> {
    let text = secret["data"][key].as_str()?;
    Some(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap())
}
