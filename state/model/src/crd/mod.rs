//! Specs and statuses of the eleven custom resources of Liqo 0.8.3, one file a kind, as plain values.
//!
//! These types give the schemas of the custom resource definitions, and they read objects. Objects are written as
//! patches of the fields that the writer owns, so a field that is unknown here survives.
//!
//! Reading is more tolerant than the schema, because one odd object must never hide a peer. The rules, by kind of field:
//!
//! | field | reads as | because |
//! |---|---|---|
//! | the schema requires it, and without it the object says nothing | an error | the API server refuses such objects |
//! | list, map | empty when missing or null | Go writes a nil one as null |
//! | struct that Go embeds by value, text, number | empty when missing or null | Go leaves out what is empty |
//! | field with a default | the default when missing | objects can be older than the default |
//! | time | [`None`] when missing or null | Go writes a zero time as null |
//! | enum | `Unrecognised` when the value is unknown | what it means is for the one who decides to say |
//!
//! `Unrecognised` is never written: serialising it is an error. It is in no schema.
//!
//! Doc comments of fields and kinds are what `kubectl explain` shows, so they are written for users of the cluster.

mod absent;
mod base64_bytes;
mod cluster_identity;
mod endpoint;
mod foreign_cluster;
mod ipam_storage;
mod namespace_map;
mod namespace_offloading;
mod nat_mapping;
mod network_config;
mod node_selector;
mod quantity;
mod remapped_cidr;
mod resource_offer;
mod resource_quota;
mod resource_request;
mod shadow_endpoint_slice;
mod shadow_pod;
mod timestamp;
mod tunnel_endpoint;

pub use base64_bytes::Base64Bytes;
pub use cluster_identity::ClusterIdentity;
pub use endpoint::{Endpoint, EndpointConditions, EndpointHints, EndpointPort, ForZone, ObjectReference};
pub use foreign_cluster::{
    ForeignClusterSpec, ForeignClusterStatus, PeeringCondition, PeeringConditionStatus, PeeringConditionType,
    PeeringEnabled, PeeringType, TenantNamespaces,
};
pub use ipam_storage::{
    ClusterMapping, ClusterSubnets, ConfiguredNatMapping, EndpointMapping, IpamStorageSpec,
};
pub use namespace_map::{NamespaceMapSpec, NamespaceMapStatus, RemoteNamespace, RemoteNamespacePhase};
pub use namespace_offloading::{
    ConditionStatus, NamespaceMappingStrategy, NamespaceOffloadingSpec, NamespaceOffloadingStatus,
    OffloadingPhase, PodOffloadingStrategy, RemoteNamespaceCondition, RemoteNamespaceConditionType,
};
pub use nat_mapping::{NatMappingSpec, NatMappingStatus};
pub use network_config::{NetworkConfigSpec, NetworkConfigStatus};
pub use node_selector::{NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm};
pub use quantity::Quantity;
pub use remapped_cidr::RemappedCidr;
pub use resource_offer::{
    ContainerImage, OfferPhase, OfferedStorageClass, ResourceOfferSpec, ResourceOfferStatus,
    VirtualKubeletStatus,
};
pub use resource_quota::{ResourceQuotaSpec, ScopeSelector, ScopedResourceSelectorRequirement};
pub use resource_request::{OfferState, ResourceRequestSpec, ResourceRequestStatus};
pub use shadow_endpoint_slice::{EndpointSliceTemplate, ShadowEndpointSliceSpec};
pub use shadow_pod::{EMBEDDED_SCHEMA, POD_SPEC, ShadowPodPhase, ShadowPodSpec, ShadowPodStatus};
pub use timestamp::Timestamp;
pub use tunnel_endpoint::{
    Connection, ConnectionLatency, ConnectionStatus, TunnelEndpointSpec, TunnelEndpointStatus,
};

#[cfg(test)]
mod tests;
