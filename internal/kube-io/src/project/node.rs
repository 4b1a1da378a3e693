//! Nodes: which peer a virtual one stands for, and the labels that selectors are about.

use liqo_api::labels;
use liqo_events::{Facts, NodeFacts};

use super::fields::{Fields, Read};

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    Ok(Facts::Node(NodeFacts {
        is_virtual: object.label(labels::TYPE)? == labels::TYPE_VIRTUAL_NODE,
        remote_cluster: object.label(labels::REMOTE_CLUSTER_ID)?.into(),
        labels: object.texts("metadata.labels")?,
        ..NodeFacts::default()
    }))
}
