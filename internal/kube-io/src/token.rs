//! Who a token belongs to, by the word of the API server.
//!
//! Source: authentication.k8s.io/v1 TokenReview. The node comes from the token itself, which is bound to a pod, and that
//! to a node; a caller cannot choose it.

use http::Request;
use serde_json::{Value, json};

use crate::client::{Urgency, Verb};
use crate::{ApiServer, Refusal};

/// Whom a valid token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// `namespace/name` of a service account; other users as the API server names them.
    pub service_account: String,
    /// The node of the pod that the token is bound to.
    pub node: Option<String>,
}

const NODE: &str = "authentication.kubernetes.io/node-name";

/// Asks the API server whose token it is, for one audience. Nothing when it is not valid there.
///
/// # Errors
///
/// [`Refusal`] when the API server cannot be asked.
pub async fn review_token(
    server: &ApiServer,
    token: &str,
    audience: &str,
) -> Result<Option<TokenOwner>, Refusal> {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [audience]},
    });
    let request = Request::post("/apis/authentication.k8s.io/v1/tokenreviews")
        .header("Content-Type", "application/json")
        .body(review.to_string().into_bytes())
        .map_err(|error| Refusal::Request { reason: error.to_string() })?;
    let bytes = server.call(Verb::Create, Urgency::Normal, request).await?;
    let answer: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::Unintelligible { reason: error.to_string() })?;
    Ok(owner(&answer["status"], audience))
}

fn owner(status: &Value, audience: &str) -> Option<TokenOwner> {
    let audiences = status["audiences"].as_array();
    let meant = audiences.is_some_and(|audiences| audiences.iter().any(|one| one == audience));
    if status["authenticated"] != true || !meant {
        return None;
    }
    let user = &status["user"];
    let name = user["username"].as_str()?;
    let account = name.strip_prefix("system:serviceaccount:").map(|account| account.replacen(':', "/", 1));
    let node = user["extra"][NODE][0].as_str().map(str::to_owned);
    Some(TokenOwner { service_account: account.unwrap_or_else(|| name.to_owned()), node })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(authenticated: bool, audience: &str) -> Value {
        json!({
            "authenticated": authenticated,
            "audiences": [audience],
            "user": {
                "username": "system:serviceaccount:liqo:liqo-fabric",
                "extra": {"authentication.kubernetes.io/node-name": ["n1"]},
            },
        })
    }

    #[test]
    fn a_token_names_its_account_and_node() {
        let expected =
            TokenOwner { service_account: "liqo/liqo-fabric".to_owned(), node: Some("n1".to_owned()) };
        assert_eq!(owner(&status(true, "liqo-fabric"), "liqo-fabric"), Some(expected));
    }

    #[test]
    fn a_token_that_is_not_valid_or_for_somebody_else_has_no_owner() {
        assert_eq!(owner(&status(false, "liqo-fabric"), "liqo-fabric"), None);
        assert_eq!(owner(&status(true, "api"), "liqo-fabric"), None);
        assert_eq!(owner(&json!({}), "liqo-fabric"), None);
    }
}
