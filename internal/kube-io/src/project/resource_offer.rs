//! ResourceOffers.

use liqo_api::finalizers;
use liqo_events::{Facts, ResourceOfferFacts};

use super::fields::Read;
use super::quantities::thousandths;
use super::{Reader, replication};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    let mut classes = Vec::new();
    for class in object.items("spec.storageClasses")? {
        classes.push((!class.flag("default", false)?, class.text("storageClassName")?.to_owned()));
    }
    // The default one first, the others in their order.
    classes.sort_by_key(|(other, _)| *other);
    let known = object.finalizers()?;
    Ok(Facts::ResourceOffer(ResourceOfferFacts {
        replication: replication::read(object)?,
        cluster_id: object.named("spec.clusterId")?,
        hard: thousandths(object, "spec.resourceQuota.hard")?,
        labels: object.map_of_texts("spec.labels")?,
        storage_classes: classes.into_iter().map(|(_, name)| name).collect(),
        withdrawn: object.is_set("spec.withdrawalTimestamp")?,
        phase: object.named("status.phase")?,
        virtual_kubelet: object.named("status.virtualKubeletStatus")?,
        node_finalizer: known.contains(&finalizers::NODE),
        kubelet_finalizer: known.contains(&finalizers::VIRTUAL_KUBELET),
    }))
}
