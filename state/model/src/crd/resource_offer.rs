//! `ResourceOffer`: what a provider offers to a consumer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{Quantity, ResourceQuotaSpec, Timestamp};

/// What is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceOfferSpec {
    /// Identifier of the cluster that offers.
    // The only place in an object where the identifier ends in a small d.
    pub cluster_id: String,
    /// Container images that are present in the cluster that offers.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub images: Vec<ContainerImage>,
    /// Resources that are offered.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub resource_quota: ResourceQuotaSpec,
    /// Labels of the virtual node.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub labels: BTreeMap<String, String>,
    /// Price of each resource.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub prices: BTreeMap<String, Quantity>,
    /// When the cluster that offers wanted the resources back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal_timestamp: Option<Timestamp>,
    /// Storage classes that are offered.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub storage_classes: Vec<OfferedStorageClass>,
}

/// A container image that a cluster has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerImage {
    /// Names by which the image is known.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub names: Vec<String>,
    /// Size of the image in bytes.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub size_bytes: i64,
}

/// A storage class of the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedStorageClass {
    /// Name of the storage class.
    pub storage_class_name: String,
    /// Whether it is used when a volume names none.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub default: bool,
}

/// What the consumer made of the offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceOfferStatus {
    /// Answer of the consumer.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(!default, extend("default" = "Pending"))]
    pub phase: OfferPhase,
    /// State of the virtual kubelet that serves the virtual node.
    #[serde(default, deserialize_with = "absent::or_default")]
    pub virtual_kubelet_status: VirtualKubeletStatus,
}

/// Answers to an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OfferPhase {
    /// None yet.
    #[default]
    Pending,
    /// Somebody has to decide.
    ManualActionRequired,
    /// The resources are used.
    Accepted,
    /// They are not.
    Refused,
    /// A value of another version.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}

/// States of a virtual kubelet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VirtualKubeletStatus {
    /// There is none.
    #[default]
    None,
    /// It runs, or is about to.
    Created,
    /// It is being removed.
    Deleting,
    /// A value of another version, or the empty text, by which Go says that it does not know.
    #[serde(other, skip_serializing)]
    #[schemars(skip)]
    Unrecognised,
}
