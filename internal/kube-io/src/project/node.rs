//! Nodes: which peer a virtual one stands for, the labels that selectors are about, and what a real one has to offer.

use liqo_api::{annotations, finalizers, labels};
use liqo_events::{Facts, NodeFacts};

use super::fields::{Fields, Read};
use super::quantities::thousandths;

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let mut addresses = Vec::new();
    for address in object.items("status.addresses")? {
        addresses.push((address.text("type")?.to_owned(), address.text("address")?.to_owned()));
    }
    let pod_cidrs = object.items("spec.podCIDRs")?;
    Ok(Facts::Node(NodeFacts {
        is_virtual: object.label(labels::TYPE)? == labels::TYPE_VIRTUAL_NODE,
        remote_cluster: object.label(labels::REMOTE_CLUSTER_ID)?.into(),
        labels: object.texts("metadata.labels")?,
        addresses,
        pod_cidrs: pod_cidrs.iter().map(|cidr| cidr.itself().map(str::to_owned)).collect::<Read<_>>()?,
        allocatable: thousandths(object, "status.allocatable")?,
        ready: object.condition_holds("Ready")?,
        unschedulable: object.flag("spec.unschedulable", false)?,
        finalizer: object.finalizers()?.contains(&finalizers::VIRTUAL_NODE),
        settings: object.annotation(annotations::VIRTUAL_KUBELET_SETTINGS)?.to_owned(),
    }))
}
