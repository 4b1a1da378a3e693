//! The projections of objects that events carry: the fields that decisions need, and nothing else of the body.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName, Uid};
use serde::Serialize;

use super::peering_facts::{
    IdentityFacts, IpamStorageFacts, IssuedFacts, NetworkConfigFacts, PeerTokenFacts, Replication,
    ResourceOfferFacts, ResourceRequestFacts, SigningRequestFacts, TunnelEndpointFacts,
};
use super::reflection_facts::{Reflection, ServiceFacts, ShadowPodFacts};
use super::{BodyDigest, Condition};
use crate::Labels;

/// The fields of one object that decisions need.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Facts {
    /// Only that it exists.
    Presence,
    /// It could not be read; the reason names the field.
    Malformed(String),
    /// Its projection is larger than a record may be; bytes of it.
    Oversized(u64),
    /// The ConfigMap with the identity of the local cluster.
    ClusterIdentity(ClusterIdentityFacts),
    /// A ForeignCluster.
    ForeignCluster(ForeignClusterFacts),
    /// A Namespace.
    Namespace(NamespaceFacts),
    /// A NamespaceOffloading.
    Offloading(OffloadingFacts),
    /// A NamespaceMap.
    NamespaceMap(NamespaceMapFacts),
    /// A Node.
    Node(NodeFacts),
    /// A Pod.
    Pod(PodFacts),
    /// A Secret with the identity that a peer gave us.
    Identity(IdentityFacts),
    /// A Secret with the token of a peer.
    PeerToken(PeerTokenFacts),
    /// A ResourceRequest.
    ResourceRequest(ResourceRequestFacts),
    /// A ResourceOffer.
    ResourceOffer(ResourceOfferFacts),
    /// A NetworkConfig.
    NetworkConfig(NetworkConfigFacts),
    /// A TunnelEndpoint.
    TunnelEndpoint(TunnelEndpointFacts),
    /// The IpamStorage.
    IpamStorage(IpamStorageFacts),
    /// A Service.
    Service(ServiceFacts),
    /// A ShadowPod.
    ShadowPod(ShadowPodFacts),
    /// An object that is copied to a peer, or the copy: a ConfigMap, a Secret, an EndpointSlice, a ShadowEndpointSlice.
    Reflected(Reflection),
    /// A request for a certificate.
    SigningRequest(SigningRequestFacts),
    /// A Deployment.
    Deployment(DeploymentFacts),
    /// A Secret with the certificate that was issued to a peer.
    Issued(IssuedFacts),
}

/// A Deployment of a virtual kubelet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentFacts {
    /// Annotation `liqo.io/virtual-kubelet-settings`: tells apart what it was made with.
    pub settings: String,
}

/// The ConfigMap with the identity of the local cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterIdentityFacts {
    /// Key `CLUSTER_ID`.
    #[bincode(with_serde)]
    pub id: ClusterId,
    /// Key `CLUSTER_NAME`.
    #[bincode(with_serde)]
    pub name: ClusterName,
}

/// `outgoingPeeringEnabled` and `incomingPeeringEnabled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Switch {
    /// As the process is configured.
    #[default]
    Auto,
    /// Off.
    No,
    /// On.
    Yes,
    /// Off for ever: the peer is given up, and nothing waits for it any more. An annotation says so.
    GivenUp,
}

/// Whether the control plane's traffic takes the tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PeeringType {
    /// It does not.
    #[default]
    OutOfBand,
    /// It does.
    InBand,
}

/// A ForeignCluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForeignClusterFacts {
    /// `spec.clusterIdentity.clusterID`; empty until known.
    #[bincode(with_serde)]
    pub cluster_id: ClusterId,
    /// `spec.clusterIdentity.clusterName`.
    #[bincode(with_serde)]
    pub cluster_name: ClusterName,
    /// `spec.foreignAuthUrl`.
    pub auth_url: String,
    /// `spec.foreignProxyUrl`.
    pub proxy_url: String,
    /// `spec.peeringType`.
    pub peering_type: PeeringType,
    /// `spec.outgoingPeeringEnabled`.
    pub outgoing: Switch,
    /// `spec.incomingPeeringEnabled`.
    pub incoming: Switch,
    /// `spec.insecureSkipTLSVerify`.
    pub skip_tls_verify: bool,
    /// Label `discovery.liqo.io/cluster-id`.
    #[bincode(with_serde)]
    pub labelled_id: ClusterId,
    /// Label `discovery.liqo.io/discovery-type`; `Manual` where it is missing.
    pub discovery_type: String,
    /// Finalizers of Liqo, sorted.
    pub finalizers: Vec<String>,
    /// `status.tenantNamespace.local`.
    #[bincode(with_serde)]
    pub tenant_local: NamespaceName,
    /// `status.tenantNamespace.remote`.
    #[bincode(with_serde)]
    pub tenant_remote: NamespaceName,
    /// `status.peeringConditions` as they are.
    pub conditions: Vec<Condition>,
}

/// A Namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceFacts {
    /// Label `liqo.io/scheduling-enabled` is `true`.
    pub scheduling_enabled: bool,
    /// Label `discovery.liqo.io/cluster-id` of a tenant namespace.
    #[bincode(with_serde)]
    pub tenant_of: ClusterId,
    /// Label `liqo.io/remote-cluster-id` of a namespace that extends one of a consumer.
    #[bincode(with_serde)]
    pub remote_cluster: ClusterId,
    /// Annotation `liqo.io/managed-by-namespace-map` of such a namespace: namespace and name of the map.
    pub managed_by: String,
}

/// `spec.namespaceMappingStrategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MappingStrategy {
    /// A name made of the namespace and the home cluster.
    #[default]
    DefaultName,
    /// The same name.
    EnforceSameName,
}

/// `spec.podOffloadingStrategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PodStrategy {
    /// Pods may run on both sides.
    #[default]
    LocalAndRemote,
    /// Pods stay.
    Local,
    /// Pods go.
    Remote,
}

/// One requirement of a node selector, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// Key of a label or of a field.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub operator: String,
    /// Values, in the order written.
    pub values: Vec<String>,
}

/// One term of a node selector: all of its requirements have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectorTerm {
    /// About labels.
    pub expressions: Vec<Requirement>,
    /// About fields.
    pub fields: Vec<Requirement>,
}

/// A NamespaceOffloading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OffloadingFacts {
    /// How the remote namespace is named.
    pub mapping: MappingStrategy,
    /// Where pods may run.
    pub pods: PodStrategy,
    /// Terms of the cluster selector, any of which may hold; none stands for every cluster.
    pub selector: Vec<SelectorTerm>,
    /// Whether the finalizer is there.
    pub finalizer: bool,
    /// `status.remoteNamespaceName`.
    #[bincode(with_serde)]
    pub remote_name: NamespaceName,
    /// `status.offloadingPhase`.
    pub phase: String,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// `status.remoteNamespacesConditions`: by the name of the NamespaceMap.
    pub conditions: BTreeMap<String, Vec<Condition>>,
}

/// What a NamespaceMap says of one namespace now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingFacts {
    /// The remote namespace.
    #[bincode(with_serde)]
    pub remote: NamespaceName,
    /// `Accepted`, `CreationLoopBackOff` or `Terminating`.
    pub phase: String,
}

/// A NamespaceMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceMapFacts {
    /// The peer that it is about, label `liqo.io/remote-cluster-id`.
    #[bincode(with_serde)]
    pub remote_cluster: ClusterId,
    /// Whether it is to be copied to the peer, label `liqo.io/replication` is `true`.
    pub origin: bool,
    /// Its part in replication.
    pub replication: Replication,
    /// Whether finalizer `namespacemap-controller.liqo.io/finalizer` is there.
    pub finalizer: bool,
    /// `spec.desiredMapping`.
    #[bincode(with_serde)]
    pub desired: BTreeMap<NamespaceName, NamespaceName>,
    /// `status.currentMapping`; keys are local namespaces.
    pub current: BTreeMap<String, MappingFacts>,
}

/// A Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeFacts {
    /// Whether it stands for a peer, label `liqo.io/type` is `virtual-node`.
    pub is_virtual: bool,
    /// The peer, label `liqo.io/remote-cluster-id`.
    #[bincode(with_serde)]
    pub remote_cluster: ClusterId,
    /// Its labels, which selectors are about.
    pub labels: Labels,
    /// `status.addresses`: type and address, in their order.
    pub addresses: Vec<(String, String)>,
    /// `spec.podCIDRs`.
    pub pod_cidrs: Vec<String>,
    /// `status.allocatable` in thousandths of the unit.
    pub allocatable: BTreeMap<String, u64>,
    /// Whether condition `Ready` is true.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Whether finalizer `virtualnode-controller.liqo.io/finalizer` is there.
    pub finalizer: bool,
    /// Annotation `liqo.io/virtual-kubelet-settings`: tells apart what a virtual one was made with.
    pub settings: String,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerPhase {
    /// Not started, or not started again.
    #[default]
    Waiting,
    /// Running.
    Running,
    /// Ended; the exit code.
    Terminated(i32),
}

/// One container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// Whether it takes traffic.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// What it is doing.
    pub phase: ContainerPhase,
    /// Why, in one word; empty when there is nothing to say.
    pub reason: String,
}

/// The controller of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    #[bincode(with_serde)]
    pub uid: Uid,
}

/// A Pod. How it is encoded is in `pod_codec.rs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFacts {
    /// `spec.nodeName`.
    pub node: String,
    /// `status.phase`.
    pub phase: String,
    /// `status.reason`.
    pub reason: String,
    /// Its containers.
    pub containers: Vec<ContainerFacts>,
    /// `status.podIPs`.
    pub pod_ips: Vec<String>,
    /// `status.hostIP`.
    pub host_ip: String,
    /// What it asks of CPU, in millicores: what a scheduler sets aside for it.
    pub cpu_millis: u64,
    /// What it asks of memory, in bytes.
    pub memory_bytes: u64,
    /// Its controller.
    pub owner: Option<Owner>,
    /// Its labels, which selectors of Services are about.
    pub labels: Labels,
    /// Whether condition `Ready` is true.
    pub ready: bool,
    /// What is copied to a peer: its labels, annotations and spec.
    pub content: BodyDigest,
    /// What comes back from a peer: its status.
    pub status: BodyDigest,
    /// Its part in reflection; nothing when it is no copy and is not about to be one.
    pub reflection: Option<Box<Reflection>>,
    /// What it asks of everything else, in thousandths of the unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, u64>,
}
