//! What objects say about who this cluster is.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret as SecretObject};
use liqo_api::labels::{APP_NAME, APP_NAME_CLUSTER_ID};
use liqo_api::names::{CLUSTER_ID_KEY, CLUSTER_NAME_KEY, TOKEN_KEY};
use liqo_identity::Secret;
use liqo_model::{ClusterId, ClusterName};

use crate::CtlError;
use crate::debug::plain;

/// Who this cluster is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalIdentity {
    pub(crate) id: ClusterId,
    /// Its name; the ID when it has none.
    pub(crate) name: ClusterName,
}

/// The identity in the one ConfigMap that has the label.
pub(crate) fn identity_in(maps: &[ConfigMap], namespace: &str) -> Result<LocalIdentity, CtlError> {
    let [map] = maps else {
        return Err(CtlError::Object {
            object: format!("namespace {}", plain(namespace)),
            fault: format!("has {} ConfigMaps with label {APP_NAME}={APP_NAME_CLUSTER_ID}", maps.len()),
            remedy: "one holds the identity of this cluster: check --namespace, and that Liqo is installed"
                .to_owned(),
        });
    };
    let none = BTreeMap::new();
    let value = |key: &str| map.data.as_ref().unwrap_or(&none).get(key).filter(|text| !text.is_empty());
    let id = value(CLUSTER_ID_KEY).ok_or_else(|| CtlError::Object {
        object: format!(
            "ConfigMap {}/{}",
            plain(namespace),
            plain(map.metadata.name.as_deref().unwrap_or_default())
        ),
        fault: format!("has no data.{CLUSTER_ID_KEY}"),
        remedy: "the controller manager writes it: see whether its pod runs".to_owned(),
    })?;
    let name = value(CLUSTER_NAME_KEY).unwrap_or(id);
    Ok(LocalIdentity { id: ClusterId::new(id), name: ClusterName::new(name) })
}

/// The token in the Secret of that name.
pub(crate) fn token_in(found: Option<&SecretObject>, named: &str) -> Result<Secret, CtlError> {
    let lacks = |fault: String| CtlError::Object {
        object: named.to_owned(),
        fault,
        remedy: "the authentication service makes it: see whether the controller manager runs".to_owned(),
    };
    let secret = found.ok_or_else(|| lacks("does not exist".to_owned()))?;
    let bytes = secret.data.as_ref().and_then(|data| data.get(TOKEN_KEY));
    let token = bytes.and_then(|bytes| String::from_utf8(bytes.0.clone()).ok()).map(Secret::new);
    token.filter(|token| !token.is_empty()).ok_or_else(|| lacks(format!("has no usable data.{TOKEN_KEY}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn map(data: Value) -> ConfigMap {
        serde_json::from_value(json!({"metadata": {"name": "liqo-clusterid-configmap"}, "data": data}))
            .unwrap()
    }

    #[test]
    fn a_cluster_without_a_name_is_called_by_its_id() {
        let identity = |data| identity_in(&[map(data)], "liqo").map_err(|error| error.to_string());
        let named = identity(json!({"CLUSTER_ID": "1", "CLUSTER_NAME": "milan"})).unwrap();
        assert_eq!(named, LocalIdentity { id: "1".into(), name: "milan".into() });
        assert_eq!(identity(json!({"CLUSTER_ID": "1", "CLUSTER_NAME": ""})).unwrap().name, "1".into());
        assert!(
            identity(json!({})).unwrap_err().contains("liqo/liqo-clusterid-configmap has no data.CLUSTER_ID")
        );
        assert!(identity_in(&[], "liqo").unwrap_err().to_string().contains("check --namespace"));
    }

    #[test]
    fn a_token_is_there_or_it_is_said_who_makes_it() {
        let secret = |data: Value| serde_json::from_value::<SecretObject>(json!({"data": data})).unwrap();
        let token = token_in(Some(&secret(json!({"token": "dA=="}))), "Secret liqo/auth-token").ok().unwrap();
        assert_eq!(token.expose(), "t");
        for bad in [json!({}), json!({"token": ""}), json!({"token": "/w=="})] {
            let error = token_in(Some(&secret(bad)), "Secret liqo/auth-token").err().unwrap();
            assert!(
                error.to_string().starts_with("Secret liqo/auth-token has no usable data.token: "),
                "{error}"
            );
        }
        assert!(
            token_in(None, "Secret liqo/auth-token").err().unwrap().to_string().contains("does not exist")
        );
    }
}
