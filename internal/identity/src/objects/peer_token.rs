//! The Secret with the token that a peer gave this cluster, so that it may ask the peer for an identity.

use std::collections::BTreeMap;

use liqo_api::labels::{AUTH_TOKEN, CLUSTER_ID};
use liqo_api::names::{REMOTE_TOKEN_SECRET_PREFIX, TOKEN_KEY};
use liqo_model::{ClusterId, NamespaceName};

use super::{SecretContent, owned};
use crate::Secret;

/// The Secret for the token of a peer, in the namespace that Liqo is installed in.
pub fn peer_token_secret(peer: &ClusterId, token: &Secret, namespace: &NamespaceName) -> SecretContent {
    SecretContent {
        namespace: namespace.clone(),
        name: format!("{REMOTE_TOKEN_SECRET_PREFIX}{peer}"),
        generate_name: false,
        labels: owned([(AUTH_TOKEN, ""), (CLUSTER_ID, peer.as_str())]),
        annotations: BTreeMap::new(),
        data: [(TOKEN_KEY.to_owned(), token.expose().as_bytes().to_vec())].into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_found_by_its_labels() {
        let id = "11111111-2222-4333-8444-555555555555";
        let content = peer_token_secret(&id.into(), &Secret::new("t"), &"liqo".into());
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": format!("remote-token-{id}"),
                "namespace": "liqo",
                "labels": {"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": id},
            },
            "data": {"token": "dA=="},
        });
        assert_eq!(content.object(), expected);
    }
}
