//! Volumes of a remote pod. Projected ones may hold what only the home cluster can give: its certificate authority,
//! which has another name there, and tokens of its service accounts, which are in a Secret there or left out.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kinds::config_map;
use crate::{ApiServerSupport, Context, ReflectError, fields};

/// Bytes of the hash of a path that tell the tokens of one volume apart; two hexadecimal digits each.
const HASH_BYTES: usize = 3;

/// The volumes of the remote pod.
pub(super) fn remote(home: &Value, context: &Context<'_>) -> Result<Vec<Value>, ReflectError> {
    let volumes = fields::list(home, "/spec/volumes")?.iter();
    Ok(volumes.map(|volume| remote_volume(volume, home, context)).collect())
}

fn remote_volume(volume: &Value, home: &Value, context: &Context<'_>) -> Value {
    let mut volume = volume.clone();
    let name = fields::text(&volume, "/name").to_owned();
    if let Some(Value::Array(sources)) = volume.pointer_mut("/projected/sources") {
        let kept = sources.iter().filter_map(|source| remote_source(source, &name, home, context));
        *sources = kept.collect();
    }
    volume
}

/// A source of a projected volume, or nothing when it is left out.
fn remote_source(source: &Value, volume: &str, home: &Value, context: &Context<'_>) -> Option<Value> {
    if fields::is_set(source, "/serviceAccountToken") {
        let ApiServerSupport::TokenApi(_) = context.api_server else { return None };
        let path = fields::text(source, "/serviceAccountToken/path");
        let name = token_secret_name(fields::text(home, "/metadata/name"));
        let items = json!([{"key": token_key(volume, path), "path": path}]);
        return Some(json!({"secret": {"name": name, "items": items}}));
    }
    let mut source = source.clone();
    if let Some(Value::String(name)) = source.pointer_mut("/configMap/name") {
        *name = config_map::remote_name(name, context);
    }
    Some(source)
}

/// Name of the remote Secret with the tokens of a pod.
#[must_use]
pub fn token_secret_name(pod: &str) -> String {
    format!("{pod}-token")
}

/// Key in that Secret of the token which a volume of the pod holds at the path.
#[must_use]
pub fn token_key(volume: &str, path: &str) -> String {
    let hash = Sha256::digest(path.as_bytes());
    let digits: String = hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{volume}-{digits}")
}
