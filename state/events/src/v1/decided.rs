//! Choices, and commands given.

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName, ObjectKey, Uid};
use serde::Serialize;

use super::Command;

/// The identity of the local cluster was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityChosen {
    /// The cluster's ID.
    #[bincode(with_serde)]
    pub id: ClusterId,
    /// The cluster's name.
    #[bincode(with_serde)]
    pub name: ClusterName,
}

/// The remote name of a namespace was chosen. It stays when the home cluster is renamed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteNamespaceChosen {
    /// The local namespace.
    #[bincode(with_serde)]
    pub namespace: NamespaceName,
    /// Life of the NamespaceOffloading.
    #[bincode(with_serde)]
    pub uid: Uid,
    /// The remote name.
    #[bincode(with_serde)]
    pub remote: NamespaceName,
}

/// Something asks for what cannot be; it is left alone and said so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// The object that asks.
    #[bincode(with_serde)]
    pub object: ObjectKey,
    /// Its life.
    #[bincode(with_serde)]
    pub uid: Uid,
    /// What cannot be, with the field and what to do.
    pub reason: String,
}

/// A command was given. It stays in the outbox until it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandIssued {
    /// The command.
    pub command: Command,
}

/// A mapping was found whose NamespaceOffloading nobody has seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanNoticed {
    /// The map.
    #[bincode(with_serde)]
    pub map: ObjectKey,
    /// The local namespace.
    #[bincode(with_serde)]
    pub namespace: NamespaceName,
    /// Generation of the cluster.
    pub generation: u64,
    /// Whether it is kept until an administrator lets go.
    pub held: bool,
}

/// The networks by which this cluster names a peer's were chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetsChosen {
    /// The peer.
    #[bincode(with_serde)]
    pub peer: ClusterId,
    /// The peer's CIDR of pods, as it told.
    pub pod_cidr: String,
    /// The peer's external CIDR, as it told.
    pub external_cidr: String,
    /// What it is called here.
    pub used_pod_cidr: String,
    /// What it is called here.
    pub used_external_cidr: String,
}

/// The networks of a peer were given back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetsReleased {
    /// The peer.
    #[bincode(with_serde)]
    pub peer: ClusterId,
}

/// The external CIDR of this cluster was chosen: the network of what it offers to peers beside pods.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalCidrChosen {
    /// The network.
    pub cidr: String,
}
