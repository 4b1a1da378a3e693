//! The client of a peer's API server, made of an identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{
    AuthInfo, Cluster, Config, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo,
    NamedCluster, NamedContext,
};
use liqo_domain::Link;
use liqo_model::{ClusterId, ClusterRef};
use thiserror::Error;

use crate::{ApiServer, Error, Metrics, Refusal, read_secret};

/// Name of the only entry of each kind.
const NAME: &str = "peer";

/// Why there is no client for a peer.
#[derive(Debug, Error)]
pub(super) enum NoClient {
    #[error("the identity cannot be read: {0}")]
    Read(#[from] Refusal),
    #[error("the identity has no usable {key}: delete the Secret, and the peer is asked for another one")]
    Lacks { key: &'static str },
    #[error("the identity cannot be used: delete the Secret, and the peer is asked for another one")]
    Config(#[source] Box<KubeconfigError>),
    #[error(transparent)]
    Client(#[from] Error),
}

/// The client for an identity. Certificate and key are read here and go nowhere else.
pub(super) async fn of(
    local: &ApiServer,
    peer: &ClusterId,
    link: &Link,
    metrics: &Arc<Metrics>,
) -> Result<ApiServer, NoClient> {
    let data = read_secret(local, &link.secret.namespace, &link.secret.name).await?.into_inner();
    let kubeconfig = kubeconfig(&data)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let config = config.map_err(|error| NoClient::Config(Box::new(error)))?;
    let cluster = ClusterRef::Remote(peer.clone());
    Ok(ApiServer::new(cluster, config, local.limits(), Arc::clone(metrics))?)
}

fn kubeconfig(data: &BTreeMap<String, Vec<u8>>) -> Result<Kubeconfig, NoClient> {
    let text = |key: &'static str| {
        let bytes = data.get(key).filter(|bytes| !bytes.is_empty());
        bytes.and_then(|bytes| String::from_utf8(bytes.clone()).ok())
    };
    let needed = |key: &'static str| text(key).ok_or(NoClient::Lacks { key });
    let encoded = |text: String| STANDARD.encode(text);
    let cluster = Cluster {
        server: Some(needed("apiServerUrl")?),
        certificate_authority_data: text("apiServerCa").map(encoded),
        proxy_url: text("proxyURL"),
        ..Cluster::default()
    };
    let auth_info = AuthInfo {
        client_certificate_data: Some(encoded(needed("certificate")?)),
        client_key_data: Some(encoded(needed("private-key")?).into()),
        ..AuthInfo::default()
    };
    let context = Context { cluster: NAME.to_owned(), user: Some(NAME.to_owned()), ..Context::default() };
    Ok(Kubeconfig {
        clusters: vec![NamedCluster {
            name: NAME.to_owned(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: NAME.to_owned(),
            auth_info: Some(auth_info),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: NAME.to_owned(),
            context: Some(context),
            ..NamedContext::default()
        }],
        current_context: Some(NAME.to_owned()),
        ..Kubeconfig::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(keys: &[&str]) -> BTreeMap<String, Vec<u8>> {
        keys.iter().map(|key| ((*key).to_owned(), b"x".to_vec())).collect()
    }

    #[test]
    fn what_an_identity_lacks_is_named() {
        let all = ["apiServerUrl", "certificate", "private-key"];
        assert!(kubeconfig(&data(&all)).is_ok());
        for missing in all {
            let some: Vec<&str> = all.into_iter().filter(|key| *key != missing).collect();
            let error = kubeconfig(&data(&some)).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
    }
}
