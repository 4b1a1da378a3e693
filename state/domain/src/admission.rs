//! What the webhooks say, as far as it follows from what is known. It needs no counter, so every replica says the same.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.4 to §7.6. A selector that cannot be judged refuses pods here, with
//! its reason, where 0.8.3 makes pods that the API server refuses without one; and pods that are made while an offloading
//! ends stay, where 0.8.3 sends them to nodes that they can never run on.

use std::fmt;

use liqo_events::{Facts, Labels, OffloadingFacts, PodStrategy, SelectorTerm};
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey};

use crate::offloading::OFFLOADING_NAME;
use crate::selector::{Invalid, selects};
use crate::state::State;

/// Where new pods of a namespace may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The namespace is not offloaded and does not ask for it: its pods are as they were made.
    NotOffloaded,
    /// Nobody can tell, so no pod is made.
    Undecided(Undecided),
    /// On nodes of this cluster: pods are as they were made.
    Local,
    /// On virtual nodes.
    Remote {
        /// Terms that select them, any of which may hold; none at all select every virtual node.
        terms: Vec<SelectorTerm>,
    },
    /// On nodes of this cluster and on virtual nodes.
    LocalAndRemote {
        /// Terms that select virtual nodes, any of which may hold; none at all select every one.
        terms: Vec<SelectorTerm>,
    },
}

/// Why nobody can tell where pods may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// Objects of this kind were not listed since the process started, or since the cluster was restored.
    NotListed(Kind),
    /// The namespace has not been seen.
    UnknownNamespace,
    /// The namespace has the label and nothing says what it is offloaded as.
    NoOffloading,
    /// The NamespaceOffloading cannot be read; what is wrong.
    Unreadable(String),
    /// Its selector cannot be judged; what is wrong.
    InvalidSelector(String),
}

impl Placement {
    /// Whether it is worth while to wait for the next event: somebody knows more of the namespace, or will in a moment.
    /// Only namespaces with the label are asked about, so the API server has seen one where none is known.
    pub fn may_change_soon(&self) -> bool {
        match self {
            Self::NotOffloaded => true,
            Self::Undecided(why) => match why {
                Undecided::NotListed(_) | Undecided::UnknownNamespace | Undecided::NoOffloading => true,
                Undecided::Unreadable(_) | Undecided::InvalidSelector(_) => false,
            },
            Self::Local | Self::Remote { .. } | Self::LocalAndRemote { .. } => false,
        }
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed(kind) => {
                write!(out, "the objects of kind {kind:?} have not been read yet: try again in a moment")
            }
            Self::UnknownNamespace => out.write_str("it has not been seen yet: try again in a moment"),
            Self::NoOffloading => out.write_str(
                "it has label liqo.io/scheduling-enabled, but no NamespaceOffloading \"offloading\" is known: make \
                 one, for instance with \"liqoctl offload namespace\", or remove the label",
            ),
            Self::Unreadable(reason) => {
                write!(out, "its NamespaceOffloading \"offloading\" cannot be read: {reason}; correct that field")
            }
            Self::InvalidSelector(reason) => write!(
                out,
                "spec.clusterSelector of its NamespaceOffloading \"offloading\" cannot be used: {reason}; correct it"
            ),
        }
    }
}

/// Where new pods of a namespace may run. It follows the NamespaceOffloading as soon as that is seen, whether the namespace
/// is in the peers yet or not: what a pod needs does not depend on that.
pub fn pod_placement(state: &State, namespace: &NamespaceName) -> Placement {
    // What is left of an earlier life of the cluster says nothing about this one.
    for kind in [Kind::NamespaceOffloading, Kind::Namespace] {
        if state.local_list(kind).is_none() {
            return Placement::Undecided(Undecided::NotListed(kind));
        }
    }
    let key = ObjectKey::local(Kind::NamespaceOffloading, namespace.as_str(), OFFLOADING_NAME);
    let Some(offloading) = state.objects.get(&key) else { return without_offloading(state, namespace) };
    match &offloading.facts {
        // Where it ends, the virtual nodes are about to be out of reach for its pods, for good.
        _ if offloading.deleting => Placement::Local,
        Facts::Offloading(facts) => by_strategy(facts),
        Facts::Malformed(reason) => Placement::Undecided(Undecided::Unreadable(reason.clone())),
        Facts::Oversized(bytes) => {
            Placement::Undecided(Undecided::Unreadable(format!("it has {bytes} bytes, which is too much")))
        }
        _ => Placement::Undecided(Undecided::Unreadable("it is no NamespaceOffloading".to_owned())),
    }
}

fn by_strategy(facts: &OffloadingFacts) -> Placement {
    let terms = facts.selector.clone();
    let judged = selects(&terms, &Labels::default(), "");
    match (facts.pods, judged) {
        (PodStrategy::Local, _) => Placement::Local,
        (_, Err(Invalid(reason))) => Placement::Undecided(Undecided::InvalidSelector(reason)),
        (PodStrategy::Remote, Ok(_)) => Placement::Remote { terms },
        (PodStrategy::LocalAndRemote, Ok(_)) => Placement::LocalAndRemote { terms },
    }
}

fn without_offloading(state: &State, namespace: &NamespaceName) -> Placement {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, namespace.as_str());
    match state.objects.get(&key).map(|namespace| &namespace.facts) {
        None => Placement::Undecided(Undecided::UnknownNamespace),
        Some(Facts::Namespace(facts)) if !facts.scheduling_enabled => Placement::NotOffloaded,
        Some(_) => Placement::Undecided(Undecided::NoOffloading),
    }
}

/// Whose a namespace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamespaceOrigin {
    /// There is no such namespace, as far as is known.
    Missing,
    /// It is this cluster's own.
    Local,
    /// It extends one of this consumer.
    Consumer(ClusterId),
}

/// Whose a namespace is, which only this cluster says: consumers cannot write its labels.
pub fn namespace_origin(state: &State, namespace: &NamespaceName) -> NamespaceOrigin {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, namespace.as_str());
    match state.objects.get(&key).map(|namespace| &namespace.facts) {
        None => NamespaceOrigin::Missing,
        Some(Facts::Namespace(facts)) if !facts.remote_cluster.as_str().is_empty() => {
            NamespaceOrigin::Consumer(facts.remote_cluster.clone())
        }
        Some(_) => NamespaceOrigin::Local,
    }
}

/// Why an object of Liqo cannot be as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// A namespace has one NamespaceOffloading, of a fixed name.
    OffloadingName,
    /// The field never changes.
    Fixed {
        /// Its path.
        field: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
}

impl fmt::Display for Forbidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OffloadingName => {
                write!(
                    out,
                    "metadata.name has to be {OFFLOADING_NAME:?}: a namespace has one NamespaceOffloading"
                )
            }
            Self::Fixed { field, instead } => write!(out, "{field} cannot be changed: {instead}"),
        }
    }
}

/// What a NamespaceOffloading says of namespaces and pods, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategies<'a> {
    /// `spec.namespaceMappingStrategy`.
    pub mapping: &'a str,
    /// `spec.podOffloadingStrategy`.
    pub pods: &'a str,
}

/// Why a NamespaceOffloading of this name cannot become like this; `old` is missing for a new one.
pub fn offloading_violation(
    name: &str,
    old: Option<Strategies<'_>>,
    new: Strategies<'_>,
) -> Option<Forbidden> {
    if name != OFFLOADING_NAME {
        return Some(Forbidden::OffloadingName);
    }
    old.is_some_and(|old| old.mapping != new.mapping).then_some(Forbidden::Fixed {
        field: "spec.namespaceMappingStrategy",
        instead: "delete the NamespaceOffloading and make it anew",
    })
}

/// What somebody who changes a NamespaceOffloading like this should know.
pub fn offloading_warning(old: Option<Strategies<'_>>, new: Strategies<'_>) -> Option<&'static str> {
    old.is_some_and(|old| old.pods != new.pods && new.pods != "LocalAndRemote").then_some(
        "spec.podOffloadingStrategy is about new pods: those that exist stay where they run until they are deleted",
    )
}

/// What never changes in a ForeignCluster once it is there, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerIdentity<'a> {
    /// `spec.peeringType`.
    pub peering_type: &'a str,
    /// `spec.clusterIdentity.clusterID`; empty until known.
    pub cluster_id: &'a str,
    /// `spec.clusterIdentity.clusterName`; empty until known.
    pub cluster_name: &'a str,
}

/// Why a ForeignCluster cannot become like this.
pub fn foreign_cluster_violation(old: PeerIdentity<'_>, new: PeerIdentity<'_>) -> Option<Forbidden> {
    const INSTEAD: &str = "unpeer and peer again";
    let fixed = |field| Some(Forbidden::Fixed { field, instead: INSTEAD });
    if old.peering_type != new.peering_type {
        return fixed("spec.peeringType");
    }
    if !old.cluster_id.is_empty() && old.cluster_id != new.cluster_id {
        return fixed("spec.clusterIdentity.clusterID");
    }
    if !old.cluster_name.is_empty() && old.cluster_name != new.cluster_name {
        return fixed("spec.clusterIdentity.clusterName");
    }
    None
}

/// What label `discovery.liqo.io/cluster-id` of a ForeignCluster has to be set to, if it is not that already. It is the
/// only way in which a peer is found by its ID, so nobody else decides about it.
pub fn foreign_cluster_label<'a>(cluster_id: &'a str, labelled: Option<&str>) -> Option<&'a str> {
    (!cluster_id.is_empty() && labelled != Some(cluster_id)).then_some(cluster_id)
}
