//! The kind of `offloading.liqo.io`: namespaces that are extended to other clusters.

use kube::core::Object;
use liqo_model::Kind;
use liqo_model::crd::{NamespaceOffloadingSpec, NamespaceOffloadingStatus};

use super::{Described, LIQO};
use crate::description::{Column, KindDescription, SpecSchema, schema_of};

/// A namespace that is extended to other clusters.
pub type NamespaceOffloading = Object<NamespaceOffloadingSpec, NamespaceOffloadingStatus>;

impl Described for NamespaceOffloading {
    const DESCRIPTION: KindDescription = NAMESPACE_OFFLOADING;
}

pub(super) const NAMESPACE_OFFLOADING: KindDescription = KindDescription {
    kind: Kind::NamespaceOffloading,
    summary: "Extends its namespace to other clusters. Its name must be offloading.",
    singular: "namespaceoffloading",
    short_names: &["nsof"],
    categories: LIQO,
    columns: &[
        Column::new("NamespaceMappingStrategy", ".spec.namespaceMappingStrategy"),
        Column::new("PodOffloadingStrategy", ".spec.podOffloadingStrategy"),
        Column::new("OffloadingPhase", ".status.offloadingPhase"),
        Column::with_priority("RemoteNamespaceName", ".status.remoteNamespaceName", 10),
        Column::AGE,
    ],
    spec: SpecSchema::Required(schema_of::<NamespaceOffloadingSpec>),
    status: Some(schema_of::<NamespaceOffloadingStatus>),
};
