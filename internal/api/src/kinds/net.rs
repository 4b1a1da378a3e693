//! Kinds of `net.liqo.io`: networks, tunnels and addresses.

use kube::core::{NotUsed, Object};
use liqo_model::Kind;
use liqo_model::crd::{
    IpamStorageSpec, NatMappingSpec, NatMappingStatus, NetworkConfigSpec, NetworkConfigStatus,
    TunnelEndpointSpec, TunnelEndpointStatus,
};

use super::{Described, LIQO};
use crate::description::{Column, KindDescription, SpecSchema, schema_of};

/// Networks and addresses in use.
pub type IpamStorage = Object<IpamStorageSpec, NotUsed>;
/// Addresses that are mapped for one peer.
pub type NatMapping = Object<NatMappingSpec, NatMappingStatus>;
/// A cluster's network, told to a peer.
pub type NetworkConfig = Object<NetworkConfigSpec, NetworkConfigStatus>;
/// A tunnel.
pub type TunnelEndpoint = Object<TunnelEndpointSpec, TunnelEndpointStatus>;

impl Described for IpamStorage {
    const DESCRIPTION: KindDescription = IPAM_STORAGE;
}

impl Described for NatMapping {
    const DESCRIPTION: KindDescription = NAT_MAPPING;
}

impl Described for NetworkConfig {
    const DESCRIPTION: KindDescription = NETWORK_CONFIG;
}

impl Described for TunnelEndpoint {
    const DESCRIPTION: KindDescription = TUNNEL_ENDPOINT;
}

pub(super) const IPAM_STORAGE: KindDescription = KindDescription {
    kind: Kind::IpamStorage,
    summary: "Networks and addresses that are in use. There is one in a cluster.",
    singular: "ipamstorage",
    short_names: &[],
    categories: LIQO,
    columns: &[],
    spec: SpecSchema::Optional(schema_of::<IpamStorageSpec>),
    status: None,
};

pub(super) const NAT_MAPPING: KindDescription = KindDescription {
    kind: Kind::NatMapping,
    summary: "Addresses of this cluster that one peer reaches by other ones.",
    singular: "natmapping",
    short_names: &[],
    categories: LIQO,
    columns: &[],
    spec: SpecSchema::Optional(schema_of::<NatMappingSpec>),
    status: Some(schema_of::<NatMappingStatus>),
};

pub(super) const NETWORK_CONFIG: KindDescription = KindDescription {
    kind: Kind::NetworkConfig,
    summary: "How the network of a cluster is reached, told to a peer.",
    singular: "networkconfig",
    short_names: &[],
    categories: LIQO,
    columns: &[
        Column::new("Peering Cluster", ".spec.cluster.clusterName"),
        Column::wide("Endpoint IP", ".spec.endpointIP"),
        Column::wide("VPN Backend", ".spec.backendType"),
        Column::new("Processed", ".status.processed"),
        Column::LOCAL,
        Column::AGE,
    ],
    spec: SpecSchema::Optional(schema_of::<NetworkConfigSpec>),
    status: Some(schema_of::<NetworkConfigStatus>),
};

pub(super) const TUNNEL_ENDPOINT: KindDescription = KindDescription {
    kind: Kind::TunnelEndpoint,
    summary: "The tunnel to a peer.",
    singular: "tunnelendpoint",
    short_names: &[],
    categories: LIQO,
    columns: &[
        Column::new("Peering Cluster", ".spec.clusterIdentity.clusterName"),
        Column::wide("Endpoint IP", ".spec.endpointIP"),
        Column::new("Backend type", ".spec.backendType"),
        Column::wide("Latency", ".status.connection.latency.value"),
        Column::new("Connection status", ".status.connection.status"),
        Column::AGE,
    ],
    spec: SpecSchema::Optional(schema_of::<TunnelEndpointSpec>),
    status: Some(schema_of::<TunnelEndpointStatus>),
};
