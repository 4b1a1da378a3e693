//! What offers are made by, beside what the settings of the control plane have always said; and what an external resource
//! monitor says.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use liqo_model::ClusterId;
use serde::Serialize;

/// How offers are made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SharingConfigured {
    /// Change in percent up to which an offer stays as it is; 0 when every change is told.
    pub threshold_percent: u8,
    /// Whether an external resource monitor says how much each consumer may have, instead of the share of what is free.
    pub monitored: bool,
    /// The most that a consumer is offered of a resource, in thousandths of the unit. The empty ID stands for each consumer
    /// that has no limit of its own for the resource.
    #[bincode(with_serde)]
    pub limits: BTreeMap<ClusterId, BTreeMap<String, u64>>,
}

/// What the external resource monitor said of a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareReported {
    /// The consumer.
    #[bincode(with_serde)]
    pub peer: ClusterId,
    /// What it may have, in thousandths of the unit; nothing once the monitor was told to forget it.
    pub amounts: Option<BTreeMap<String, u64>>,
}
