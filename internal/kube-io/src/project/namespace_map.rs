//! NamespaceMaps.

use liqo_api::{finalizers, labels};
use liqo_events::{Facts, MappingFacts, NamespaceMapFacts};
use liqo_model::NamespaceName;

use super::fields::{Fields, Read};
use super::{Reader, replication};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    let desired: Vec<(&str, &str)> = object.texts("spec.desiredMapping")?;
    let current = object.entries("status.currentMapping")?.into_iter();
    Ok(Facts::NamespaceMap(NamespaceMapFacts {
        remote_cluster: object.label(labels::REMOTE_CLUSTER_ID)?.into(),
        origin: object.label(labels::REPLICATION)? == labels::TRUE,
        replication: replication::read(object)?,
        finalizer: object.finalizers()?.contains(&finalizers::NAMESPACE_MAP),
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
