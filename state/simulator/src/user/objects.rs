//! Names of what users make.

use liqo_events::{Facts, Requirement, SelectorTerm};
use liqo_model::{ClusterId, Kind, ObjectKey};

use crate::api::ApiServer;
use crate::world::{LIQO, NAMES};

pub(crate) fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Namespace, name)
}

pub(crate) fn offloading_key(namespace: &str) -> ObjectKey {
    ObjectKey::local(Kind::NamespaceOffloading, namespace, "offloading")
}

pub(crate) fn peer_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name)
}

pub(crate) fn node_key(peer: usize) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-{}", NAMES[peer]))
}

/// Which peer a map is towards: maps are called after them.
pub(crate) fn peer_of_map(map: &ObjectKey) -> Option<usize> {
    NAMES.iter().position(|name| {
        map.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

pub(crate) fn identity_key() -> ObjectKey {
    ObjectKey::local(Kind::ConfigMap, LIQO, liqo_domain::IDENTITY_CONFIG_MAP)
}

/// The ID of a cluster, when it has one.
pub(crate) fn identity(api: &ApiServer) -> Option<ClusterId> {
    match &api.get(&identity_key())?.facts {
        Facts::ClusterIdentity(facts) if !facts.id.is_empty() => Some(facts.id.clone()),
        _ => None,
    }
}

/// Which peers a namespace goes to, as users of the model say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    Everywhere,
    Region(&'static str),
    /// A selector that no API server would refuse and nobody can follow.
    Nonsense,
}

pub(crate) const REGIONS: [&str; 2] = ["eu", "us"];

impl Selection {
    pub(crate) fn terms(self) -> Vec<SelectorTerm> {
        let (operator, region) = match self {
            Self::Everywhere => return Vec::new(),
            Self::Region(region) => ("In", region),
            Self::Nonsense => ("Like", "e*"),
        };
        let requirement = Requirement {
            key: "region".to_owned(),
            operator: operator.to_owned(),
            values: vec![region.to_owned()],
        };
        vec![SelectorTerm { expressions: vec![requirement], fields: Vec::new() }]
    }

    /// What the terms of an object say.
    pub(crate) fn of(terms: &[SelectorTerm]) -> Self {
        let Some(requirement) = terms.first().and_then(|term| term.expressions.first()) else {
            return Self::Everywhere;
        };
        let region = REGIONS.iter().find(|region| requirement.values.iter().any(|value| value == *region));
        match region {
            Some(region) if requirement.operator == "In" => Self::Region(region),
            _ => Self::Nonsense,
        }
    }
}

/// Whether a selector cannot be followed.
pub(crate) fn is_nonsense(terms: &[SelectorTerm]) -> bool {
    Selection::of(terms) == Selection::Nonsense
}
