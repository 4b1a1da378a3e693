//! The kind of `sharing.liqo.io`: offers of resources.

use kube::core::Object;
use liqo_model::Kind;
use liqo_model::crd::{ResourceOfferSpec, ResourceOfferStatus};

use super::{Described, LIQO};
use crate::description::{Column, KindDescription, SpecSchema, schema_of};

/// A provider's offer.
pub type ResourceOffer = Object<ResourceOfferSpec, ResourceOfferStatus>;

impl Described for ResourceOffer {
    const DESCRIPTION: KindDescription = RESOURCE_OFFER;
}

pub(super) const RESOURCE_OFFER: KindDescription = KindDescription {
    kind: Kind::ResourceOffer,
    summary: "Resources that a cluster offers to another one.",
    singular: "resourceoffer",
    short_names: &["offer"],
    categories: LIQO,
    columns: &[
        Column::new("Status", ".status.phase"),
        Column::new("VirtualKubeletStatus", ".status.virtualKubeletStatus"),
        Column::LOCAL,
        Column::AGE,
    ],
    spec: SpecSchema::Optional(schema_of::<ResourceOfferSpec>),
    status: Some(schema_of::<ResourceOfferStatus>),
};
