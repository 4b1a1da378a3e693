//! NamespaceMaps.

use liqo_api::labels;
use liqo_events::{Facts, MappingFacts, NamespaceMapFacts};
use liqo_model::NamespaceName;

use super::fields::{Fields, Read};

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let desired: Vec<(&str, &str)> = object.texts("spec.desiredMapping")?;
    let current = object.entries("status.currentMapping")?.into_iter();
    Ok(Facts::NamespaceMap(NamespaceMapFacts {
        remote_cluster: object.label(labels::REMOTE_CLUSTER_ID)?.into(),
        origin: object.label(labels::REPLICATION)? == labels::TRUE,
        desired: desired
            .into_iter()
            .map(|(local, remote)| (NamespaceName::from(local), NamespaceName::from(remote)))
            .collect(),
        current: current.map(|(local, now)| Ok((local.to_owned(), mapping(&now)?))).collect::<Read<_>>()?,
    }))
}

fn mapping(now: &Fields<'_>) -> Read<MappingFacts> {
    Ok(MappingFacts { remote: now.named("remoteNamespace")?, phase: now.named("phase")? })
}
