//! The units of decision. Each has one planner.

use liqo_model::{ClusterId, NamespaceName, ObjectKey};

/// What an event can touch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aggregate {
    /// The identity of the local cluster.
    Identity,
    /// Every peering: what changes the verdict on several of them.
    Peers,
    /// The peering with one peer, with the offer to it.
    Peer(ClusterId),
    /// The offloading of a namespace.
    Offloading(NamespaceName),
    /// Every offloading.
    Offloadings,
    /// Mappings without an offloading.
    Orphans,
    /// Objects that are copied to peers as they are, and what comes back.
    Replication,
    /// Those that are copied to one peer.
    ReplicationTo(ClusterId),
    /// Addresses, network parameters and tunnels: networks are chosen for all peers together.
    Network,
    /// Network parameters and tunnel of one peer, where nothing is to be chosen.
    NetworkWith(ClusterId),
    /// Namespaces that extend those of consumers.
    Namespaces,
    /// Requests for certificates of virtual kubelets.
    Signing,
    /// How much consumers are offered.
    Quota,
    /// The virtual node.
    Node,
    /// An object that is copied to a peer, its copy, a shadow or what it stands for: always the object that was seen.
    Copy(ObjectKey),
    /// All of these.
    Copies,
}
