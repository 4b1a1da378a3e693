//! What the authentication service needs of its cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Secret as KubeSecret};
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleBinding};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client};
use liqo_api::annotations::ENROLLED;
use liqo_api::labels;
use liqo_api::names::REMOTE_CERTIFICATE_SECRET;
use liqo_events::UnixMillis;
use liqo_identity::{
    AddressKind, ApiServer, Cluster, Issued, KeptIdentity, KeptToken, NodeFacts, PROVEN_BY, Provider,
    ProviderError, Secret, SecretContent, Tenant, advertised_api_server, approval, basic_binding, bound_to,
    issued_secret, peer_token_secret, read_issued, read_one_time_token, signing_request,
};
use liqo_model::{ClusterId, Kind, NamespaceName, ResourceVersion, tenant_namespace_name};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::SharedToken;
use super::refusal::{exists, missing, refused};

/// How long Kubernetes may take to sign, as in Liqo 0.8.3.
const SIGNING: Duration = Duration::from_secs(30);
/// Where every namespace finds the certificate of the API server's authority.
const ROOT_CERTIFICATES: &str = "kube-root-ca.crt";

/// The cluster of the process, which gives identities to its peers.
pub struct KubernetesProvider {
    /// Its API server.
    pub client: Client,
    /// Namespace that Liqo is installed in.
    pub namespace: NamespaceName,
    /// Its identity, once there is one.
    pub identity: watch::Receiver<Option<Cluster>>,
    /// The token that every peer may use.
    pub token: SharedToken,
    /// Address of the API server for peers; that of a control-plane node when there is none.
    pub advertised: Option<String>,
    /// The time, for what is signed.
    pub now: fn() -> UnixMillis,
}

impl KubernetesProvider {
    async fn find_tenant(&self, cluster: &Cluster) -> Result<Option<NamespaceName>, ProviderError> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let of_peer = ListParams::default().labels(&format!("{}={}", labels::CLUSTER_ID, cluster.id));
        let found =
            namespaces.list(&of_peer).await.map_err(|error| refused("its tenant namespace", &error))?;
        let living = found.items.into_iter().filter(|found| found.metadata.deletion_timestamp.is_none());
        let mut names: Vec<String> = living.filter_map(|found| found.metadata.name).collect();
        names.sort_unstable();
        Ok(names.into_iter().next().map(NamespaceName::new))
    }

    /// Makes a Secret, or says that there is one.
    async fn create_secret(&self, content: &SecretContent) -> Result<bool, ProviderError> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), content.namespace.as_str());
        let secret: KubeSecret = typed("a Secret", content.object())?;
        match secrets.create(&PostParams::default(), &secret).await {
            Ok(_) => Ok(true),
            Err(error) if exists(&error) => Ok(false),
            Err(error) => Err(refused("a Secret", &error)),
        }
    }

    /// Whether a peer has written anything in its tenant namespace, which it cannot without its certificate.
    async fn is_used(&self, tenant: &Tenant) -> Result<bool, ProviderError> {
        let own = ListParams::default()
            .labels(&format!("{}={}", labels::REPLICATION_ORIGIN, tenant.cluster.id))
            .limit(1);
        for kind in [Kind::ResourceRequest, Kind::ResourceOffer] {
            let objects: Api<DynamicObject> = Api::namespaced_with(
                self.client.clone(),
                tenant.namespace.as_str(),
                &liqo_api::api_resource(kind),
            );
            let found = objects.list(&own).await.map_err(|error| refused("what the peer wrote", &error))?;
            if !found.items.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn approve(
        &self,
        requests: &Api<CertificateSigningRequest>,
        name: &str,
    ) -> Result<(), ProviderError> {
        let conditions = json!({"status": {"conditions": [approval((self.now)())]}});
        let approved =
            requests.patch_approval(name, &PatchParams::default(), &Patch::Merge(conditions)).await;
        approved.map(|_| ()).map_err(|error| refused("the approval", &error))
    }
}

impl Provider for KubernetesProvider {
    async fn identity(&self) -> Result<Cluster, ProviderError> {
        let known = self.identity.borrow().clone();
        known.ok_or_else(|| ProviderError::Failed { reason: "this cluster has no identity yet".to_owned() })
    }

    async fn shared_token(&self) -> Result<Secret, ProviderError> {
        Ok(self.token.now())
    }

    async fn ensure_tenant(&self, cluster: &Cluster) -> Result<NamespaceName, ProviderError> {
        if let Some(found) = self.find_tenant(cluster).await? {
            return Ok(found);
        }
        let name = tenant_namespace_name(&cluster.name, &cluster.id);
        let wanted: Namespace = typed(
            "a namespace",
            json!({
                "metadata": {"name": name.as_str(), "labels": {
                    labels::CLUSTER_ID: cluster.id.as_str(),
                    labels::TENANT_NAMESPACE: labels::TRUE,
                }},
            }),
        )?;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        match namespaces.create(&PostParams::default(), &wanted).await {
            Ok(_) => Ok(name),
            // Somebody was faster, or it is somebody else's.
            Err(error) if exists(&error) => self.find_tenant(cluster).await?.ok_or_else(|| {
                ProviderError::Denied { reason: format!("namespace {name} exists and is not of this peer") }
            }),
            Err(error) => Err(refused("its tenant namespace", &error)),
        }
    }

    fn now(&self) -> UnixMillis {
        (self.now)()
    }

    async fn one_time_token(&self, name: &str) -> Result<Option<KeptToken>, ProviderError> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let found = secrets.get_opt(name).await.map_err(|error| refused("a one-time token", &error))?;
        Ok(found.and_then(kept_token))
    }

    async fn bind_token(&self, token: &KeptToken, cluster: &ClusterId) -> Result<bool, ProviderError> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        change(&secrets, &token.name, &token.version, present(bound_to(cluster))).await
    }

    async fn issued(&self, tenant: &Tenant) -> Result<Option<KeptIdentity>, ProviderError> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), tenant.namespace.as_str());
        let found = secrets.get_opt(REMOTE_CERTIFICATE_SECRET).await;
        let Some(secret) = found.map_err(|error| refused("what was issued", &error))? else {
            return Ok(None);
        };
        let told = secret.metadata.annotations.as_ref().is_some_and(|kept| kept.contains_key(ENROLLED));
        // The control plane tells a moment later than the certificate is used.
        let enrolled = told || self.is_used(tenant).await?;
        let version = secret.metadata.resource_version.clone().unwrap_or_default().into();
        Ok(Some(KeptIdentity { issued: read_issued(&data_of(secret)), enrolled, version }))
    }

    async fn tenant(&self, cluster: &Cluster) -> Result<Option<NamespaceName>, ProviderError> {
        self.find_tenant(cluster).await
    }

    async fn sign(
        &self,
        tenant: &Tenant,
        csr: &str,
        life: Option<Duration>,
    ) -> Result<String, ProviderError> {
        let requests: Api<CertificateSigningRequest> = Api::all(self.client.clone());
        let wanted = typed("a request", signing_request(csr, life))?;
        let made = requests.create(&PostParams::default(), &wanted).await;
        let name = made.map_err(|error| refused("the request", &error))?.metadata.name.unwrap_or_default();
        self.approve(&requests, &name).await?;
        let signed = |request: Option<&CertificateSigningRequest>| {
            request.and_then(certificate).is_some_and(|certificate| !certificate.is_empty())
        };
        let waited = tokio::time::timeout(SIGNING, await_condition(requests, &name, signed)).await;
        let late = || ProviderError::Failed {
            reason: format!("the request {name} of {} was not signed in time", tenant.cluster.id),
        };
        let request = waited
            .map_err(|_| late())?
            .map_err(|error| ProviderError::Failed { reason: format!("the request {name}: {error}") })?;
        let pem = request.as_ref().and_then(certificate).ok_or_else(late)?;
        String::from_utf8(pem.to_vec()).map_err(|_| late())
    }

    async fn keep_issued(
        &self,
        tenant: &Tenant,
        issued: &Issued,
        over: Option<&ResourceVersion>,
    ) -> Result<KeptIdentity, ProviderError> {
        let content = issued_secret(tenant, issued);
        // Whether it was this or something else that is kept now shows when it is read.
        match over {
            None => self.create_secret(&content).await?,
            Some(version) => {
                let secrets: Api<KubeSecret> =
                    Api::namespaced(self.client.clone(), content.namespace.as_str());
                // What proved an earlier certificate goes with it.
                let data = [(PROVEN_BY.to_owned(), None)].into_iter();
                let data = data.chain(content.data.into_iter().map(|(key, bytes)| (key, Some(bytes))));
                change(&secrets, &content.name, version, data.collect()).await?
            }
        };
        let kept = self.issued(tenant).await?;
        kept.ok_or_else(|| ProviderError::Failed {
            reason: "what was issued has just been deleted".to_owned(),
        })
    }

    async fn bind_basic(&self, tenant: &Tenant) -> Result<(), ProviderError> {
        let roles: Api<ClusterRole> = Api::all(self.client.clone());
        let selector = format!("{}={}", labels::PEERING_PERMISSIONS, labels::PERMISSIONS_BASIC);
        let found = roles.list(&ListParams::default().labels(&selector)).await;
        let bindings: Api<RoleBinding> = Api::namespaced(self.client.clone(), tenant.namespace.as_str());
        for role in found.map_err(|error| refused("its rights", &error))?.items {
            let (name, uid) = (role.metadata.name.unwrap_or_default(), role.metadata.uid.unwrap_or_default());
            let binding = typed("a RoleBinding", basic_binding(tenant, &name, &uid.as_str().into()))?;
            match bindings.create(&PostParams::default(), &binding).await {
                Ok(_) => {}
                Err(error) if exists(&error) => {}
                Err(error) => return Err(refused("its rights", &error)),
            }
        }
        Ok(())
    }

    async fn keep_peer_token(&self, cluster: &Cluster, token: &Secret) -> Result<(), ProviderError> {
        let content = peer_token_secret(&cluster.id, token, &self.namespace);
        if self.create_secret(&content).await? {
            return Ok(());
        }
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let object = content.object();
        let fields = json!({"metadata": {"labels": object["metadata"]["labels"]}, "data": object["data"]});
        let patched = secrets.patch(&content.name, &PatchParams::default(), &Patch::Merge(fields)).await;
        patched.map(|_| ()).map_err(|error| refused("its token", &error))
    }

    async fn api_server(&self) -> Result<ApiServer, ProviderError> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let found = nodes.list(&ListParams::default()).await.map_err(|error| refused("the nodes", &error))?;
        let nodes: Vec<NodeFacts> = found.items.into_iter().map(node_facts).collect();
        let url = advertised_api_server(self.advertised.as_deref(), &nodes)
            .map_err(|error| ProviderError::Failed { reason: error.to_string() })?;
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let roots = match maps.get(ROOT_CERTIFICATES).await {
            Ok(map) => map.data.unwrap_or_default().remove("ca.crt"),
            Err(error) if missing(&error) => None,
            Err(error) => return Err(refused("the authority of the API server", &error)),
        };
        Ok(ApiServer { url, ca: roots })
    }
}

/// Data that is to be there.
pub(super) fn present(data: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Option<Vec<u8>>> {
    data.into_iter().map(|(key, bytes)| (key, Some(bytes))).collect()
}

/// Changes data of a Secret if it is of this version; false when it is not, or is gone.
pub(super) async fn change(
    secrets: &Api<KubeSecret>,
    name: &str,
    version: &ResourceVersion,
    data: BTreeMap<String, Option<Vec<u8>>>,
) -> Result<bool, ProviderError> {
    let data: BTreeMap<String, Option<ByteString>> =
        data.into_iter().map(|(key, bytes)| (key, bytes.map(ByteString))).collect();
    let patch = json!({"metadata": {"resourceVersion": version.as_str()}, "data": data});
    match secrets.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(true),
        Err(error) if exists(&error) || missing(&error) => Ok(false),
        Err(error) => Err(refused("a Secret", &error)),
    }
}

/// A Secret with a one-time token; nothing when it is damaged, or about to go.
pub(super) fn kept_token(secret: KubeSecret) -> Option<KeptToken> {
    if secret.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let name = secret.metadata.name.clone()?;
    let version = secret.metadata.resource_version.clone()?.into();
    Some(KeptToken { token: read_one_time_token(&data_of(secret))?, name, version })
}

fn certificate(request: &CertificateSigningRequest) -> Option<&[u8]> {
    request.status.as_ref()?.certificate.as_ref().map(|bytes| bytes.0.as_slice())
}

fn data_of(secret: KubeSecret) -> BTreeMap<String, Vec<u8>> {
    secret.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect()
}

fn node_facts(node: Node) -> NodeFacts {
    let addresses = node.status.and_then(|status| status.addresses).unwrap_or_default();
    let known = |address: k8s_openapi::api::core::v1::NodeAddress| {
        AddressKind::parse(&address.type_).map(|kind| (kind, address.address))
    };
    NodeFacts {
        name: node.metadata.name.unwrap_or_default(),
        labels: node.metadata.labels.unwrap_or_default(),
        addresses: addresses.into_iter().filter_map(known).collect(),
    }
}

/// What is made here always has the form that it should have.
fn typed<T: DeserializeOwned>(what: &str, object: Value) -> Result<T, ProviderError> {
    serde_json::from_value(object)
        .map_err(|error| ProviderError::Failed { reason: format!("{what} cannot be made: {error}") })
}
