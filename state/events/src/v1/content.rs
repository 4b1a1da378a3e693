//! What objects that are written whole consist of: their parameters, never their text. Adapters render them.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName, Uid};
use serde::{Deserialize, Serialize};

use super::peering_facts::{ClusterSubnets, TunnelSpec};
use crate::UnixMillis;

/// The object that an object belongs to: it goes when that goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnedBy {
    /// Its name. Its kind follows from the object that it owns.
    pub name: String,
    /// Its life.
    #[bincode(with_serde)]
    pub uid: Uid,
}

/// What an object of ours consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// The ForeignCluster of a consumer that asked for resources.
    ForeignCluster {
        /// Its ID.
        #[bincode(with_serde)]
        id: ClusterId,
        /// Its name.
        #[bincode(with_serde)]
        name: ClusterName,
        /// Where its authentication service is.
        auth_url: String,
    },
    /// The request for resources of a provider.
    ResourceRequest {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// This cluster.
        #[bincode(with_serde)]
        id: ClusterId,
        /// This cluster's name.
        #[bincode(with_serde)]
        name: ClusterName,
        /// Where this cluster's authentication service is.
        auth_url: String,
        /// When it was withdrawn.
        withdrawn_at: Option<UnixMillis>,
        /// The ForeignCluster.
        owner: OwnedBy,
    },
    /// The offer of resources to a consumer.
    ResourceOffer {
        /// The consumer.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// This cluster.
        #[bincode(with_serde)]
        id: ClusterId,
        /// `spec.resourceQuota.hard` in thousandths of the unit.
        hard: BTreeMap<String, u64>,
        /// Labels of the virtual node.
        labels: BTreeMap<String, String>,
        /// When it was withdrawn.
        withdrawn_at: Option<UnixMillis>,
        /// The ResourceRequest.
        owner: OwnedBy,
    },
    /// Our network, told to a peer.
    NetworkConfig {
        /// The peer.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// The peer's name.
        #[bincode(with_serde)]
        remote_name: ClusterName,
        /// `spec.podCIDR`.
        pod_cidr: String,
        /// `spec.externalCIDR`.
        external_cidr: String,
        /// `spec.endpointIP`.
        endpoint: String,
        /// `spec.backend_config.publicKey`.
        public_key: String,
        /// `spec.backend_config.port`.
        port: u16,
        /// The ForeignCluster.
        owner: OwnedBy,
    },
    /// One end of a tunnel.
    TunnelEndpoint {
        /// Its spec.
        spec: TunnelSpec,
        /// The ForeignCluster.
        owner: OwnedBy,
    },
    /// Addresses as a peer and we translate them.
    NatMapping {
        /// The peer.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// `spec.podCIDR`: how we name the peer's pods.
        pod_cidr: String,
        /// `spec.externalCIDR`: how the peer names what we offer beside pods.
        external_cidr: String,
        /// `spec.clusterMappings`: real address to the one that the peer uses.
        mappings: BTreeMap<String, String>,
    },
    /// The mirror of address management.
    IpamStorage {
        /// `spec.podCIDR`.
        pod_cidr: String,
        /// `spec.serviceCIDR`.
        service_cidr: String,
        /// `spec.externalCIDR`.
        external_cidr: String,
        /// `spec.reservedSubnets`.
        reserved: Vec<String>,
        /// `spec.pools`.
        pools: Vec<String>,
        /// `spec.clusterSubnets`.
        #[bincode(with_serde)]
        clusters: BTreeMap<ClusterId, ClusterSubnets>,
    },
    /// The map of namespaces towards a provider.
    NamespaceMap {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// The virtual node.
        owner: OwnedBy,
    },
    /// Rights of a peer in a namespace.
    PeerBinding {
        /// The peer, which is a user here.
        #[bincode(with_serde)]
        user: ClusterId,
        /// Name of the ClusterRole.
        role: String,
        /// Annotation `liqo.io/managed-by-namespace-map`; empty in a tenant namespace.
        managed_by: String,
    },
    /// The service account of a virtual kubelet.
    KubeletAccount {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
    },
    /// The rights of a virtual kubelet.
    KubeletBinding {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// Namespace of its service account.
        #[bincode(with_serde)]
        tenant: NamespaceName,
    },
    /// The Deployment of a virtual kubelet.
    VirtualKubelet {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// The provider's name.
        #[bincode(with_serde)]
        remote_name: ClusterName,
        /// This cluster.
        #[bincode(with_serde)]
        home: ClusterId,
        /// This cluster's name.
        #[bincode(with_serde)]
        home_name: ClusterName,
        /// Name of the ResourceOffer.
        offer: String,
        /// Annotation `liqo.io/virtual-kubelet-settings`: tells apart what it is made with.
        settings: String,
    },
    /// A namespace that extends one of a consumer.
    RemoteNamespace {
        /// The consumer.
        #[bincode(with_serde)]
        origin: ClusterId,
        /// Annotation `liqo.io/managed-by-namespace-map`: namespace and name of the map.
        map: String,
        /// Annotation `liqo.io/original-name`: the consumer's namespace.
        #[bincode(with_serde)]
        original: NamespaceName,
    },
    /// The virtual node of a provider, without its status.
    VirtualNode {
        /// The provider.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// Labels of the offer, which come on top of those that every virtual node has.
        labels: BTreeMap<String, String>,
        /// Whether pods may be scheduled to it.
        unschedulable: bool,
        /// Annotations that the administrator adds.
        annotations: BTreeMap<String, String>,
        /// Annotation `liqo.io/virtual-kubelet-settings`: tells apart what it was made with; empty for nothing.
        settings: String,
    },
    /// The offer of resources to a consumer, whole, and what is to be said of it.
    Offer {
        /// The consumer.
        #[bincode(with_serde)]
        remote: ClusterId,
        /// This cluster.
        #[bincode(with_serde)]
        id: ClusterId,
        /// `spec.resourceQuota.hard` in thousandths of the unit.
        hard: BTreeMap<String, u64>,
        /// Labels of the virtual node.
        labels: BTreeMap<String, String>,
        /// How many other consumers are offered the same free capacity. Part of no object: it is for who asks why.
        others: u32,
        /// The ResourceRequest.
        owner: OwnedBy,
    },
}

impl Content {
    /// The name of what it is, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ForeignCluster { .. } => "ForeignCluster",
            Self::ResourceRequest { .. } => "ResourceRequest",
            Self::ResourceOffer { .. } | Self::Offer { .. } => "ResourceOffer",
            Self::NetworkConfig { .. } => "NetworkConfig",
            Self::TunnelEndpoint { .. } => "TunnelEndpoint",
            Self::NatMapping { .. } => "NatMapping",
            Self::IpamStorage { .. } => "IpamStorage",
            Self::NamespaceMap { .. } => "NamespaceMap",
            Self::PeerBinding { .. } => "PeerBinding",
            Self::KubeletAccount { .. } => "KubeletAccount",
            Self::KubeletBinding { .. } => "KubeletBinding",
            Self::VirtualKubelet { .. } => "VirtualKubelet",
            Self::RemoteNamespace { .. } => "RemoteNamespace",
            Self::VirtualNode { .. } => "VirtualNode",
        }
    }

    /// The content without its times, for comparing wishes.
    #[must_use]
    pub fn timeless(&self) -> Self {
        let mut content = self.clone();
        match &mut content {
            Self::ResourceRequest { withdrawn_at, .. } | Self::ResourceOffer { withdrawn_at, .. } => {
                *withdrawn_at = withdrawn_at.map(|_| UnixMillis::default());
            }
            Self::ForeignCluster { .. }
            | Self::NetworkConfig { .. }
            | Self::TunnelEndpoint { .. }
            | Self::NatMapping { .. }
            | Self::IpamStorage { .. }
            | Self::NamespaceMap { .. }
            | Self::PeerBinding { .. }
            | Self::KubeletAccount { .. }
            | Self::KubeletBinding { .. }
            | Self::VirtualKubelet { .. }
            | Self::RemoteNamespace { .. }
            | Self::VirtualNode { .. }
            | Self::Offer { .. } => {}
        }
        content
    }
}

/// One entry of `status.currentMapping` of a NamespaceMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentMapping {
    /// `remoteNamespace`.
    #[bincode(with_serde)]
    pub remote: NamespaceName,
    /// `Accepted`, `CreationLoopBackOff` or `Terminating`.
    pub phase: String,
}

/// What the status of an object of ours says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Of a ResourceRequest, written by the provider.
    ResourceRequest {
        /// `offerState`.
        offer_state: String,
        /// `offerWithdrawalTimestamp`.
        offer_withdrawn_at: Option<UnixMillis>,
    },
    /// Of a ResourceOffer, written by the consumer.
    ResourceOffer {
        /// `phase`.
        phase: String,
        /// `virtualKubeletStatus`.
        virtual_kubelet: String,
    },
    /// Of a NetworkConfig, written by the peer that received it.
    NetworkConfig {
        /// `podCIDRNAT`.
        pod_cidr_nat: String,
        /// `externalCIDRNAT`.
        external_cidr_nat: String,
    },
    /// Of a TunnelEndpoint.
    TunnelEndpoint {
        /// `gatewayIP`.
        gateway: String,
        /// `connection.status`.
        connection: String,
        /// `connection.statusMessage`.
        message: String,
        /// `connection.latency.value`.
        latency: String,
        /// `connection.latency.timestamp`.
        measured_at: Option<UnixMillis>,
        /// `connection.peerConfiguration`.
        peer: BTreeMap<String, String>,
    },
    /// Of a NamespaceMap, written by the provider: `currentMapping`.
    NamespaceMap(#[bincode(with_serde)] BTreeMap<NamespaceName, CurrentMapping>),
    /// Of a ShadowPod: `phase`.
    ShadowPod(String),
    /// Of the virtual node.
    VirtualNode {
        /// Whether the provider's API server answers and its network is connected.
        ready: bool,
        /// Whether the tunnel is connected; nothing when it is not checked.
        network: Option<bool>,
        /// `capacity` and `allocatable` in thousandths of the unit.
        resources: BTreeMap<String, u64>,
        /// `nodeInfo.kubeletVersion`.
        version: String,
        /// `addresses`: the internal address.
        address: String,
        /// `daemonEndpoints`: the port of the kubelet API.
        port: u16,
    },
    /// Of a pod on the virtual node whose namespace is not extended to the provider: it waits, or is given up so that its
    /// controller makes another.
    UnmappedPod,
}

impl Status {
    /// The status without its times, for comparing wishes.
    #[must_use]
    pub fn timeless(&self) -> Self {
        let mut status = self.clone();
        match &mut status {
            Self::ResourceRequest { offer_withdrawn_at, .. } => {
                *offer_withdrawn_at = offer_withdrawn_at.map(|_| UnixMillis::default());
            }
            Self::TunnelEndpoint { measured_at, .. } => {
                *measured_at = measured_at.map(|_| UnixMillis::default());
            }
            Self::ResourceOffer { .. }
            | Self::NetworkConfig { .. }
            | Self::NamespaceMap(_)
            | Self::ShadowPod(_)
            | Self::VirtualNode { .. }
            | Self::UnmappedPod => {}
        }
        status
    }
}
