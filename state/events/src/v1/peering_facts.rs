//! The projections of objects that a peering is made of.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName};
use serde::{Deserialize, Serialize};

use super::BodyDigest;
use crate::UnixMillis;

/// How an object takes part in replication between two clusters: its labels, and digests of its halves.
///
/// Source: api-and-control-plane of Liqo 0.8.3, §2.1 and §4.4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replication {
    /// Label `liqo.io/replication` is `true`: it is to be copied to the peer.
    pub origin: bool,
    /// Label `liqo.io/remoteID`: where it goes, or went.
    #[bincode(with_serde)]
    pub remote_id: ClusterId,
    /// Label `liqo.io/originID`: where it came from.
    #[bincode(with_serde)]
    pub origin_id: ClusterId,
    /// Label `liqo.io/replicated` is `true`: it is a copy.
    pub replicated: bool,
    /// Whether finalizer `crdReplicator.liqo.io` is there.
    pub finalizer: bool,
    /// Digest of `spec`, in which quantities count by value.
    pub spec: BodyDigest,
    /// Digest of `status`, in the same way.
    pub status: BodyDigest,
    /// Names of the ForeignClusters among its owners.
    pub owners: Vec<String>,
}

/// A Secret `liqo-identity-*`: what a peer answered. Nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityFacts {
    /// Label `discovery.liqo.io/cluster-id`.
    #[bincode(with_serde)]
    pub peer: ClusterId,
    /// Key `namespace`: our tenant namespace there.
    #[bincode(with_serde)]
    pub remote_namespace: NamespaceName,
    /// Key `apiServerUrl`.
    pub api_server: String,
    /// Annotation `discovery.liqo.io/certificate-expire-time`, or 0.
    pub expires_at: UnixMillis,
}

/// A Secret `remote-token-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerTokenFacts {
    /// Label `discovery.liqo.io/cluster-id`.
    #[bincode(with_serde)]
    pub peer: ClusterId,
}

/// The Secret `liqo-remote-certificate` with what was issued to a peer. Nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedFacts {
    /// Label `discovery.liqo.io/cluster-id`.
    #[bincode(with_serde)]
    pub peer: ClusterId,
    /// Whether annotation `liqo.io/enrolled` is there.
    pub enrolled: bool,
}

/// A ResourceRequest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRequestFacts {
    /// Its part in replication.
    pub replication: Replication,
    /// `spec.clusterIdentity.clusterID`: who asks.
    #[bincode(with_serde)]
    pub cluster_id: ClusterId,
    /// `spec.clusterIdentity.clusterName`.
    #[bincode(with_serde)]
    pub cluster_name: ClusterName,
    /// `spec.authUrl`.
    pub auth_url: String,
    /// Whether `spec.withdrawalTimestamp` is there.
    pub withdrawn: bool,
    /// Whether `status.offerWithdrawalTimestamp` is there.
    pub offer_withdrawn: bool,
    /// `status.offerState`.
    pub offer_state: String,
}

/// A ResourceOffer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceOfferFacts {
    /// Its part in replication.
    pub replication: Replication,
    /// `spec.clusterId`: who offers.
    #[bincode(with_serde)]
    pub cluster_id: ClusterId,
    /// `spec.resourceQuota.hard` in thousandths of the unit.
    pub hard: BTreeMap<String, u64>,
    /// `spec.labels`.
    pub labels: BTreeMap<String, String>,
    /// Names in `spec.storageClasses`, the default one first.
    pub storage_classes: Vec<String>,
    /// Whether `spec.withdrawalTimestamp` is there.
    pub withdrawn: bool,
    /// `status.phase`.
    pub phase: String,
    /// `status.virtualKubeletStatus`.
    pub virtual_kubelet: String,
    /// Whether finalizer `liqo.io/node` is there.
    pub node_finalizer: bool,
    /// Whether finalizer `liqo.io/virtualkubelet` is there.
    pub kubelet_finalizer: bool,
}

/// A NetworkConfig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkConfigFacts {
    /// Its part in replication.
    pub replication: Replication,
    /// `spec.cluster.clusterID`: whom it is for.
    #[bincode(with_serde)]
    pub cluster_id: ClusterId,
    /// `spec.podCIDR`.
    pub pod_cidr: String,
    /// `spec.externalCIDR`.
    pub external_cidr: String,
    /// `spec.endpointIP`.
    pub endpoint: String,
    /// `spec.backend_config.publicKey`.
    pub public_key: String,
    /// `spec.backend_config.port`.
    pub port: String,
    /// `status.processed`.
    pub processed: bool,
    /// `status.podCIDRNAT`.
    pub pod_cidr_nat: String,
    /// `status.externalCIDRNAT`.
    pub external_cidr_nat: String,
    /// Whether finalizer `tunnelendpointcreator.net.liqo.io` is there.
    pub finalizer: bool,
}

/// A TunnelEndpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TunnelEndpointFacts {
    /// `spec`.
    pub spec: TunnelSpec,
    /// `status.connection.status`.
    pub connection: String,
    /// `status.connection.latency.value`.
    pub latency: String,
    /// `status.gatewayIP`.
    pub gateway: String,
}

/// The spec of a TunnelEndpoint. `None` stands for a network that is not remapped, as in the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TunnelSpec {
    /// `clusterIdentity.clusterID`: the peer.
    #[bincode(with_serde)]
    pub cluster_id: ClusterId,
    /// `clusterIdentity.clusterName`.
    #[bincode(with_serde)]
    pub cluster_name: ClusterName,
    /// `localPodCIDR`.
    pub local_pod_cidr: String,
    /// `localExternalCIDR`.
    pub local_external_cidr: String,
    /// `localNATPodCIDR`: how the peer names our pods.
    pub local_nat_pod_cidr: String,
    /// `localNATExternalCIDR`.
    pub local_nat_external_cidr: String,
    /// `remotePodCIDR`.
    pub remote_pod_cidr: String,
    /// `remoteExternalCIDR`.
    pub remote_external_cidr: String,
    /// `remoteNATPodCIDR`: how we name the peer's pods.
    pub remote_nat_pod_cidr: String,
    /// `remoteNATExternalCIDR`.
    pub remote_nat_external_cidr: String,
    /// `endpointIP`.
    pub endpoint: String,
    /// `backend_config.publicKey`.
    pub public_key: String,
    /// `backend_config.port`.
    pub port: String,
}

/// The networks of one peer in the IpamStorage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSubnets {
    /// `localNATPodCIDR`: how the peer names our pods; empty before it said so, `None` when it uses the real one.
    pub local_nat_pod_cidr: String,
    /// `localNATExternalCIDR`.
    pub local_nat_external_cidr: String,
    /// `remotePodCIDR`: how we name the peer's pods.
    pub remote_pod_cidr: String,
    /// `remoteExternalCIDR`.
    pub remote_external_cidr: String,
}

/// The IpamStorage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpamStorageFacts {
    /// `spec.podCIDR`.
    pub pod_cidr: String,
    /// `spec.serviceCIDR`.
    pub service_cidr: String,
    /// `spec.externalCIDR`.
    pub external_cidr: String,
    /// `spec.reservedSubnets`.
    pub reserved: Vec<String>,
    /// `spec.pools`.
    pub pools: Vec<String>,
    /// `spec.clusterSubnets`.
    #[bincode(with_serde)]
    pub clusters: BTreeMap<ClusterId, ClusterSubnets>,
}

/// A CertificateSigningRequest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningRequestFacts {
    /// `spec.username`: who asks.
    pub requester: String,
    /// `spec.signerName`.
    pub signer: String,
    /// Whether it was approved or denied.
    pub decided: bool,
    /// The node that the certificate is to be for, as its subject names it; empty when it is for no node.
    pub node: String,
}
