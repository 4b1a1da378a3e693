//! The objects of a cluster, read and written with errors that name them.

use std::fmt::Debug;

use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use liqo_api::{
    ForeignCluster, IpamStorage, NamespaceOffloading, ResourceOffer, TunnelEndpoint, api_resource,
};
use liqo_model::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::CtlError;
use crate::access::Access;
use crate::debug::plain;
use crate::error::chain;

/// Who writes, in `managedFields`.
const FIELD_MANAGER: &str = "liqoctl";

/// A cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
}

impl Cluster {
    pub(crate) async fn open(access: &Access) -> Result<Self, CtlError> {
        Ok(Self { client: access.client().await? })
    }

    /// Objects of a kind of Kubernetes in a namespace.
    pub(crate) fn within<K>(&self, namespace: &str) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        let api = Api::namespaced(self.client.clone(), namespace);
        Objects { api, kind: K::kind(&()).into_owned(), namespace: Some(namespace.to_owned()) }
    }

    /// Objects of a kind of Kubernetes that has no namespaces.
    pub(crate) fn of_cluster<K>(&self) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = ClusterResourceScope>,
    {
        Objects { api: Api::all(self.client.clone()), kind: K::kind(&()).into_owned(), namespace: None }
    }

    /// Objects of a kind of Kubernetes in all namespaces.
    pub(crate) fn everywhere<K>(&self) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Objects { api: Api::all(self.client.clone()), kind: K::kind(&()).into_owned(), namespace: None }
    }

    pub(crate) fn foreign_clusters(&self) -> Objects<ForeignCluster> {
        let api = Api::all_with(self.client.clone(), &api_resource(Kind::ForeignCluster));
        Objects { api, kind: Kind::ForeignCluster.to_string(), namespace: None }
    }

    pub(crate) fn offloadings(&self, namespace: &str) -> Objects<NamespaceOffloading> {
        let resource = api_resource(Kind::NamespaceOffloading);
        let api = Api::namespaced_with(self.client.clone(), namespace, &resource);
        Objects { api, kind: Kind::NamespaceOffloading.to_string(), namespace: Some(namespace.to_owned()) }
    }

    pub(crate) fn ipam_storages(&self) -> Objects<IpamStorage> {
        let api = Api::all_with(self.client.clone(), &api_resource(Kind::IpamStorage));
        Objects { api, kind: Kind::IpamStorage.to_string(), namespace: None }
    }

    pub(crate) fn tunnel_endpoints(&self) -> Objects<TunnelEndpoint> {
        let api = Api::all_with(self.client.clone(), &api_resource(Kind::TunnelEndpoint));
        Objects { api, kind: Kind::TunnelEndpoint.to_string(), namespace: None }
    }

    pub(crate) fn resource_offers(&self) -> Objects<ResourceOffer> {
        let api = Api::all_with(self.client.clone(), &api_resource(Kind::ResourceOffer));
        Objects { api, kind: Kind::ResourceOffer.to_string(), namespace: None }
    }
}

/// Objects of one kind, in one namespace or in all that there are.
pub(crate) struct Objects<K> {
    api: Api<K>,
    kind: String,
    namespace: Option<String>,
}

impl<K: Clone + Debug + DeserializeOwned> Objects<K> {
    /// An object as messages name it.
    pub(crate) fn named(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {}/{}", self.kind, plain(namespace), plain(name)),
            None => format!("{} {}", self.kind, plain(name)),
        }
    }

    /// The object, if it exists.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<K>, CtlError> {
        self.api.get_opt(name).await.map_err(|error| self.refused("read", name, &error))
    }

    /// The objects with the labels.
    pub(crate) async fn list(&self, labels: &str) -> Result<Vec<K>, CtlError> {
        let found = self.api.list(&ListParams::default().labels(labels)).await;
        found.map(|list| list.items).map_err(|error| {
            let place = match &self.namespace {
                Some(namespace) => format!(" in namespace {}", plain(namespace)),
                None => String::new(),
            };
            failed(format!("list objects of kind {}{place}", self.kind), &error)
        })
    }

    /// Makes the object; false when there is one of its name.
    pub(crate) async fn create(&self, name: &str, object: &K) -> Result<bool, CtlError>
    where
        K: Serialize,
    {
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match self.api.create(&parameters, object).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(false),
            Err(error) => Err(self.refused("create", name, &error)),
        }
    }

    /// Changes the fields that the patch names.
    pub(crate) async fn merge(&self, name: &str, patch: &Value) -> Result<(), CtlError> {
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let changed = self.api.patch(name, &parameters, &Patch::Merge(patch)).await;
        changed.map(|_| ()).map_err(|error| self.refused("change", name, &error))
    }

    /// Asks for the object to be deleted; nothing to do when there is none.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), CtlError> {
        match self.api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(self.refused("delete", name, &error)),
        }
    }

    fn refused(&self, doing: &str, name: &str, error: &kube::Error) -> CtlError {
        failed(format!("{doing} {}", self.named(name)), error)
    }
}

/// An API server's refusal in its own words, what can be done about it, and whether asking again may help.
fn failed(doing: String, error: &kube::Error) -> CtlError {
    match error {
        kube::Error::Api(status) => {
            let code = status.code;
            let said = if status.message.is_empty() { &status.reason } else { &status.message };
            let remedy = match code {
                401 => ": check --kubeconfig and --user",
                403 => ": choose a user with more rights by --user or --context",
                404 => ": check that Liqo is installed",
                _ => "",
            };
            let passing = code == 429 || code >= 500;
            CtlError::Api { doing, said: format!("{} ({code}){remedy}", plain(said)), passing }
        }
        // The body that could not be read may have been that of a Secret.
        kube::Error::SerdeError(_) => {
            let said = "what the API server answered is not an object of that kind".to_owned();
            CtlError::Api { doing, said, passing: false }
        }
        other => {
            let said =
                format!("{}: check --kubeconfig, and that the cluster is reached", plain(&chain(other)));
            CtlError::Api { doing, said, passing: true }
        }
    }
}
