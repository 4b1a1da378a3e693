//! Kinds of `discovery.liqo.io`: peers, and wishes for resources.

use kube::core::Object;
use liqo_model::Kind;
use liqo_model::crd::{ForeignClusterSpec, ForeignClusterStatus, ResourceRequestSpec, ResourceRequestStatus};

use super::{Described, LIQO};
use crate::description::{Column, KindDescription, SpecSchema, schema_of};

/// A peer.
pub type ForeignCluster = Object<ForeignClusterSpec, ForeignClusterStatus>;
/// A consumer's wish for resources.
pub type ResourceRequest = Object<ResourceRequestSpec, ResourceRequestStatus>;

impl Described for ForeignCluster {
    const DESCRIPTION: KindDescription = FOREIGN_CLUSTER;
}

impl Described for ResourceRequest {
    const DESCRIPTION: KindDescription = RESOURCE_REQUEST;
}

pub(super) const FOREIGN_CLUSTER: KindDescription = KindDescription {
    kind: Kind::ForeignCluster,
    summary: "A cluster that this one peers with, what is wanted from it, and how far that has come.",
    singular: "foreigncluster",
    short_names: &[],
    categories: LIQO,
    columns: &[
        Column::new("Type", ".spec.peeringType"),
        Column::wide("ClusterID", ".spec.clusterIdentity.clusterID"),
        Column::wide("ClusterName", ".spec.clusterIdentity.clusterName"),
        Column::new("Outgoing peering", ".status.peeringConditions[?(@.type == 'OutgoingPeering')].status"),
        Column::new("Incoming peering", ".status.peeringConditions[?(@.type == 'IncomingPeering')].status"),
        Column::new("Networking", ".status.peeringConditions[?(@.type == 'NetworkStatus')].status"),
        Column::wide("API Server", ".status.peeringConditions[?(@.type == 'APIServerStatus')].status"),
        Column::new(
            "Authentication",
            ".status.peeringConditions[?(@.type == 'AuthenticationStatus')].status",
        ),
        Column::AGE,
    ],
    spec: SpecSchema::Optional(schema_of::<ForeignClusterSpec>),
    status: Some(schema_of::<ForeignClusterStatus>),
};

pub(super) const RESOURCE_REQUEST: KindDescription = KindDescription {
    kind: Kind::ResourceRequest,
    summary: "A cluster asks another one for resources.",
    singular: "resourcerequest",
    short_names: &[],
    categories: LIQO,
    columns: &[Column::LOCAL, Column::AGE],
    spec: SpecSchema::Optional(schema_of::<ResourceRequestSpec>),
    status: Some(schema_of::<ResourceRequestStatus>),
};
