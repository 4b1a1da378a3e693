//! Kinds of `virtualkubelet.liqo.io`: what a consumer wants to have in a provider.

use kube::core::{NotUsed, Object};
use liqo_model::Kind;
use liqo_model::crd::{
    NamespaceMapSpec, NamespaceMapStatus, ShadowEndpointSliceSpec, ShadowPodSpec, ShadowPodStatus,
};

use super::{Described, LIQO};
use crate::description::{Column, KindDescription, SpecSchema, schema_of};

/// Namespaces of a consumer in a provider.
pub type NamespaceMap = Object<NamespaceMapSpec, NamespaceMapStatus>;
/// A pod of a consumer in a provider.
pub type ShadowPod = Object<ShadowPodSpec, ShadowPodStatus>;
/// Endpoints of a consumer in a provider.
pub type ShadowEndpointSlice = Object<ShadowEndpointSliceSpec, NotUsed>;

impl Described for NamespaceMap {
    const DESCRIPTION: KindDescription = NAMESPACE_MAP;
}

impl Described for ShadowPod {
    const DESCRIPTION: KindDescription = SHADOW_POD;
}

impl Described for ShadowEndpointSlice {
    const DESCRIPTION: KindDescription = SHADOW_ENDPOINT_SLICE;
}

pub(super) const NAMESPACE_MAP: KindDescription = KindDescription {
    kind: Kind::NamespaceMap,
    summary: "Namespaces of one cluster and what they are called in another one.",
    singular: "namespacemap",
    short_names: &[],
    categories: LIQO,
    columns: &[Column::LOCAL, Column::AGE],
    spec: SpecSchema::Optional(schema_of::<NamespaceMapSpec>),
    status: Some(schema_of::<NamespaceMapStatus>),
};

pub(super) const SHADOW_POD: KindDescription = KindDescription {
    kind: Kind::ShadowPod,
    summary: "A pod that another cluster runs here. A pod that is deleted comes back as long as this object exists.",
    singular: "shadowpod",
    short_names: &[],
    categories: &[],
    columns: &[Column::new("Status", ".status.phase"), Column::AGE],
    spec: SpecSchema::Optional(schema_of::<ShadowPodSpec>),
    status: Some(schema_of::<ShadowPodStatus>),
};

pub(super) const SHADOW_ENDPOINT_SLICE: KindDescription = KindDescription {
    kind: Kind::ShadowEndpointSlice,
    summary: "Endpoints that another cluster adds to a Service here.",
    singular: "shadowendpointslice",
    short_names: &[],
    categories: &[],
    columns: &[],
    spec: SpecSchema::Optional(schema_of::<ShadowEndpointSliceSpec>),
    status: None,
};
