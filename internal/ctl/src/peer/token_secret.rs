//! The Secret that keeps the token of a peer for the control plane.

use k8s_openapi::api::core::v1::Secret as SecretObject;
use liqo_api::names::TOKEN_KEY;
use liqo_identity::{Secret, SecretContent, peer_token_secret};
use liqo_model::ClusterId;
use serde_json::{Value, json};

use crate::CtlError;
use crate::cluster::Objects;

/// Keeps the token; false when it was kept already.
pub(crate) async fn keep(
    secrets: &Objects<SecretObject>,
    (peer, token): (&ClusterId, &Secret),
    namespace: &str,
) -> Result<bool, CtlError> {
    let content = peer_token_secret(peer, token, &namespace.into());
    keep_content(secrets, &content).await.map_err(|error| without(error, &content))
}

async fn keep_content(secrets: &Objects<SecretObject>, content: &SecretContent) -> Result<bool, CtlError> {
    let name = content.name.as_str();
    let unreadable = || CtlError::Object {
        object: secrets.named(name),
        fault: "cannot be written".to_owned(),
        remedy: "check the token".to_owned(),
    };
    let found = match secrets.get(name).await? {
        Some(found) => found,
        None => {
            // The source is left out: it may quote the token.
            let made = serde_json::from_value(content.object()).map_err(|_| unreadable())?;
            if secrets.create(name, &made).await? {
                return Ok(true);
            }
            secrets.get(name).await?.ok_or_else(unreadable)?
        }
    };
    match patch(&found, content) {
        Some(patch) => secrets.merge(name, &patch).await.map(|()| true),
        None => Ok(false),
    }
}

/// What of a Secret has to change; labels and data that others added are left alone.
fn patch(found: &SecretObject, content: &SecretContent) -> Option<Value> {
    let token = content.data.get(TOKEN_KEY).map(Vec::as_slice).unwrap_or_default();
    let kept = found.data.as_ref().and_then(|data| data.get(TOKEN_KEY));
    let same_token = kept.is_some_and(|kept| text(&kept.0).matches(&text(token)));
    let labels = found.metadata.labels.clone().unwrap_or_default();
    let same_labels = content.labels.iter().all(|(key, value)| labels.get(key) == Some(value));
    let object = content.object();
    (!same_token || !same_labels)
        .then(|| json!({"metadata": {"labels": object["metadata"]["labels"]}, "data": object["data"]}))
}

/// Whether the Secret has to change.
pub(super) fn differs(found: &SecretObject, content: &SecretContent) -> bool {
    patch(found, content).is_some()
}

fn text(bytes: &[u8]) -> Secret {
    Secret::new(String::from_utf8_lossy(bytes))
}

/// Takes away what an API server said if it quoted the token, plain or as it was sent.
fn without(error: CtlError, content: &SecretContent) -> CtlError {
    let object = content.object();
    let sent = object["data"][TOKEN_KEY].as_str().unwrap_or_default();
    let token = content.data.get(TOKEN_KEY).map(|token| text(token)).unwrap_or_else(|| Secret::new(""));
    match error {
        CtlError::Api { doing, said, passing } if said.contains(token.expose()) || said.contains(sent) => {
            let said = "the API server refused it, in words that quote the token and are left out".to_owned();
            CtlError::Api { doing, said, passing }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> SecretContent {
        peer_token_secret(&"1".into(), &Secret::new("t"), &"liqo".into())
    }

    fn found(data: Value, labels: Value) -> SecretObject {
        serde_json::from_value(json!({"metadata": {"labels": labels}, "data": data})).unwrap()
    }

    #[test]
    fn a_token_that_is_kept_is_not_written_again() {
        let labels =
            json!({"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": "1", "own": "x"});
        assert_eq!(patch(&found(json!({"token": "dA==", "own": "eA=="}), labels.clone()), &content()), None);
        let written = json!({
            "metadata": {"labels": {"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": "1"}},
            "data": {"token": "dA=="},
        });
        assert_eq!(patch(&found(json!({"token": "b2xk"}), labels), &content()), Some(written.clone()));
        assert_eq!(patch(&found(json!({"token": "dA=="}), json!({})), &content()), Some(written));
    }

    #[test]
    fn an_error_does_not_quote_the_token() {
        let refused =
            |said: &str| CtlError::Api { doing: "create x".into(), said: said.into(), passing: false };
        let content = peer_token_secret(&"1".into(), &Secret::new("s3cret"), &"liqo".into());
        let shown = |said| without(refused(said), &content).to_string();
        assert_eq!(shown("no rights (403)"), "cannot create x: no rights (403)");
        assert!(!shown("invalid: s3cret").contains("s3cret"));
        assert!(!shown("invalid: czNjcmV0").contains("czNjcmV0"));
    }
}
