//! The objects of a cluster, read and written with errors that name them.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::DynamicObject;
use kube::{Client, Resource};
use liqo_api::{
    ForeignCluster, IpamStorage, KINDS, NamespaceMap, NamespaceOffloading, ResourceOffer, TunnelEndpoint,
    api_resource,
};
use liqo_model::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::access::{Access, trouble};
use crate::debug::plain;
use crate::error::chain;
use crate::{CtlError, duration};

/// Who writes, in `managedFields`.
const FIELD_MANAGER: &str = "liqoctl";

/// Reason with which an API server says that an object does not exist. Of a path that it does not know at all it says no
/// reason.
const NO_SUCH_OBJECT: &str = "NotFound";

/// A cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    /// How long one answer may take.
    limit: Option<Duration>,
}

impl Cluster {
    pub(crate) async fn open(access: &Access) -> Result<Self, CtlError> {
        Ok(Self { client: access.client().await?, limit: access.limit() })
    }

    /// Objects of a kind of Kubernetes in a namespace.
    pub(crate) fn within<K>(&self, namespace: &str) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        self.objects(Api::namespaced(self.client.clone(), namespace), &K::kind(&()), Some(namespace))
    }

    /// Objects of a kind of Kubernetes that has no namespaces.
    pub(crate) fn of_cluster<K>(&self) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = ClusterResourceScope>,
    {
        self.objects(Api::all(self.client.clone()), &K::kind(&()), None)
    }

    /// Objects of a kind of Kubernetes in all namespaces.
    pub(crate) fn everywhere<K>(&self) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        self.objects(Api::all(self.client.clone()), &K::kind(&()), None)
    }

    /// Objects of any kind, of which nothing but their metadata is known.
    pub(crate) fn any(&self, kind: Kind, namespace: Option<&str>) -> Objects<DynamicObject> {
        let (client, resource) = (self.client.clone(), api_resource(kind));
        let api = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        self.objects(api, kind.as_str(), namespace)
    }

    pub(crate) fn foreign_clusters(&self) -> Objects<ForeignCluster> {
        self.of_liqo(Kind::ForeignCluster)
    }

    pub(crate) fn offloadings(&self, namespace: &str) -> Objects<NamespaceOffloading> {
        let resource = api_resource(Kind::NamespaceOffloading);
        let api = Api::namespaced_with(self.client.clone(), namespace, &resource);
        self.objects(api, Kind::NamespaceOffloading.as_str(), Some(namespace))
    }

    /// Offloadings of all namespaces.
    pub(crate) fn all_offloadings(&self) -> Objects<NamespaceOffloading> {
        self.of_liqo(Kind::NamespaceOffloading)
    }

    pub(crate) fn ipam_storages(&self) -> Objects<IpamStorage> {
        self.of_liqo(Kind::IpamStorage)
    }

    pub(crate) fn tunnel_endpoints(&self) -> Objects<TunnelEndpoint> {
        self.of_liqo(Kind::TunnelEndpoint)
    }

    pub(crate) fn resource_offers(&self) -> Objects<ResourceOffer> {
        self.of_liqo(Kind::ResourceOffer)
    }

    pub(crate) fn namespace_maps(&self) -> Objects<NamespaceMap> {
        self.of_liqo(Kind::NamespaceMap)
    }

    /// Objects of a kind of Liqo, in all namespaces if it has any.
    fn of_liqo<K>(&self, kind: Kind) -> Objects<K>
    where
        K: Resource<DynamicType = kube::core::ApiResource>,
    {
        self.objects(Api::all_with(self.client.clone(), &api_resource(kind)), kind.as_str(), None)
    }

    fn objects<K>(&self, api: Api<K>, kind: &str, namespace: Option<&str>) -> Objects<K> {
        let namespace = namespace.map(str::to_owned);
        Objects { api, kind: kind.to_owned(), namespace, limit: self.limit }
    }
}

/// Objects of one kind, in one namespace or in all that there are.
pub(crate) struct Objects<K> {
    api: Api<K>,
    kind: String,
    namespace: Option<String>,
    limit: Option<Duration>,
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
        let doing = || format!("read {}", self.named(name));
        match self.answer(doing, self.api.get(name)).await? {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 && status.reason == NO_SUCH_OBJECT => {
                Ok(None)
            }
            Err(error) => Err(self.failed(doing(), &error)),
        }
    }

    /// The objects with the labels.
    pub(crate) async fn list(&self, labels: &str) -> Result<Vec<K>, CtlError> {
        self.listed(ListParams::default().labels(labels)).await
    }

    /// The objects with these fields.
    pub(crate) async fn list_by_fields(&self, fields: &str) -> Result<Vec<K>, CtlError> {
        self.listed(ListParams::default().fields(fields)).await
    }

    async fn listed(&self, parameters: ListParams) -> Result<Vec<K>, CtlError> {
        let doing = || {
            let place =
                self.namespace.as_deref().map(|namespace| format!(" in namespace {}", plain(namespace)));
            format!("list objects of kind {}{}", self.kind, place.unwrap_or_default())
        };
        let found = self.answer(doing, self.api.list(&parameters)).await?;
        found.map(|list| list.items).map_err(|error| self.failed(doing(), &error))
    }

    /// Makes the object; false when there is one of its name.
    pub(crate) async fn create(&self, name: &str, object: &K) -> Result<bool, CtlError>
    where
        K: Serialize,
    {
        let doing = || format!("create {}", self.named(name));
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match self.answer(doing, self.api.create(&parameters, object)).await? {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(false),
            Err(error) => Err(self.failed(doing(), &error)),
        }
    }

    /// Changes the fields that the patch names.
    pub(crate) async fn merge(&self, name: &str, patch: &Value) -> Result<(), CtlError> {
        let doing = || format!("change {}", self.named(name));
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let changed = self.answer(doing, self.api.patch(name, &parameters, &Patch::Merge(patch))).await?;
        changed.map(|_| ()).map_err(|error| self.failed(doing(), &error))
    }

    /// Asks for the object to be deleted; nothing to do when there is none.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), CtlError> {
        let doing = || format!("delete {}", self.named(name));
        match self.answer(doing, self.api.delete(name, &DeleteParams::default())).await? {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(self.failed(doing(), &error)),
        }
    }

    /// What the API server answers, if it does so in time.
    async fn answer<T>(
        &self,
        doing: impl Fn() -> String,
        asked: impl Future<Output = kube::Result<T>>,
    ) -> Result<kube::Result<T>, CtlError> {
        let Some(limit) = self.limit else { return Ok(asked.await) };
        timeout(limit, asked).await.map_err(|_| CtlError::Api {
            doing: doing(),
            said: format!("there was no answer within {}: see --request-timeout", duration::shown(limit)),
            passing: true,
        })
    }

    /// Why it did not work; when the API server does not know the kind at all, that.
    fn failed(&self, doing: String, error: &kube::Error) -> CtlError {
        match error {
            kube::Error::Api(status)
                if status.code == 404 && status.reason != NO_SUCH_OBJECT && self.is_of_liqo() =>
            {
                CtlError::NotInstalled { kind: self.kind.clone() }
            }
            other => failed(doing, other),
        }
    }

    fn is_of_liqo(&self) -> bool {
        KINDS.iter().any(|described| described.kind.as_str() == self.kind)
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
            let said = match trouble(other) {
                Some(said) => format!("the credential plugin of the kubeconfig: {said}"),
                None => {
                    format!("{}: check --kubeconfig, and that the cluster is reached", plain(&chain(other)))
                }
            };
            CtlError::Api { doing, said, passing: true }
        }
    }
}
