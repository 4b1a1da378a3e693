//! NamespaceOffloadings.

use liqo_api::finalizers;
use liqo_events::{Facts, MappingStrategy, OffloadingFacts, PodStrategy, Requirement, SelectorTerm};

use super::fields::{Fields, Read};

const MAPPINGS: &[(&str, MappingStrategy)] =
    &[("DefaultName", MappingStrategy::DefaultName), ("EnforceSameName", MappingStrategy::EnforceSameName)];
const STRATEGIES: &[(&str, PodStrategy)] = &[
    ("LocalAndRemote", PodStrategy::LocalAndRemote),
    ("Local", PodStrategy::Local),
    ("Remote", PodStrategy::Remote),
];

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let selector = object.items("spec.clusterSelector.nodeSelectorTerms")?;
    let conditions = object.entries("status.remoteNamespacesConditions")?.into_iter();
    let conditions = conditions.map(|(map, list)| Ok((map.to_owned(), list.listed_conditions()?)));
    Ok(Facts::Offloading(OffloadingFacts {
        mapping: object.choice("spec.namespaceMappingStrategy", MAPPINGS)?,
        pods: object.choice("spec.podOffloadingStrategy", STRATEGIES)?,
        selector: selector.iter().map(term).collect::<Read<_>>()?,
        finalizer: object.finalizers()?.contains(&finalizers::NAMESPACE_OFFLOADING),
        remote_name: object.named("status.remoteNamespaceName")?,
        phase: object.named("status.offloadingPhase")?,
        observed_generation: object.number("status.observedGeneration")?,
        conditions: conditions.collect::<Read<_>>()?,
    }))
}

fn term(term: &Fields<'_>) -> Read<SelectorTerm> {
    let requirements = |path| term.items(path)?.iter().map(requirement).collect::<Read<Vec<_>>>();
    Ok(SelectorTerm { expressions: requirements("matchExpressions")?, fields: requirements("matchFields")? })
}

/// As it was written: whether an operator makes sense is judged where selectors are.
fn requirement(requirement: &Fields<'_>) -> Read<Requirement> {
    let values = requirement.items("values")?;
    Ok(Requirement {
        key: requirement.named("key")?,
        operator: requirement.named("operator")?,
        values: values.iter().map(|value| value.itself().map(str::to_owned)).collect::<Read<_>>()?,
    })
}
