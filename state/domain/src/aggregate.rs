//! The units of decision. Each has one planner.

use liqo_model::NamespaceName;

/// What an event can touch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aggregate {
    /// The identity of the local cluster.
    Identity,
    /// Every ForeignCluster: a change of one can change the verdict on another.
    Peers,
    /// The offloading of a namespace.
    Offloading(NamespaceName),
    /// Every offloading.
    Offloadings,
    /// Mappings without an offloading.
    Orphans,
}
