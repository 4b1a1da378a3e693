//! Who this cluster is, and where peers reach it: read from the objects that Liqo keeps.

mod address;
mod identity;

use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret as SecretObject, Service};
use liqo_api::labels::{APP_NAME, APP_NAME_CLUSTER_ID};
use liqo_api::names::{AUTH_SERVICE, AUTH_TOKEN_SECRET};
use liqo_identity::{Secret, home_auth_url};

pub(crate) use address::{nodes_of, service_of};
pub(crate) use identity::{LocalIdentity, identity_in, token_in};

use crate::CtlError;
use crate::cluster::Cluster;

/// The identity of the cluster that Liqo in the namespace has.
pub(crate) async fn identity(cluster: &Cluster, namespace: &str) -> Result<LocalIdentity, CtlError> {
    let maps =
        cluster.within::<ConfigMap>(namespace).list(&format!("{APP_NAME}={APP_NAME_CLUSTER_ID}")).await?;
    identity_in(&maps, namespace)
}

/// URL of the authentication service of the cluster.
pub(crate) async fn auth_url(cluster: &Cluster, namespace: &str) -> Result<String, CtlError> {
    let services = cluster.within::<Service>(namespace);
    let service = services.get(AUTH_SERVICE).await?.ok_or_else(|| CtlError::Object {
        object: services.named(AUTH_SERVICE),
        fault: "does not exist".to_owned(),
        remedy: "check --namespace, and that Liqo is installed".to_owned(),
    })?;
    let nodes = cluster.of_cluster::<Node>().list("").await?;
    home_auth_url(&service_of(&service), &nodes_of(&nodes)).map_err(CtlError::Address)
}

/// The token that peers need.
pub(crate) async fn auth_token(cluster: &Cluster, namespace: &str) -> Result<Secret, CtlError> {
    let secrets = cluster.within::<SecretObject>(namespace);
    let found = secrets.get(AUTH_TOKEN_SECRET).await?;
    token_in(found.as_ref(), &secrets.named(AUTH_TOKEN_SECRET))
}
