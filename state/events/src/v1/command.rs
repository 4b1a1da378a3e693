//! What is to be done: a command names what should be so, never how.

use std::collections::BTreeMap;
use std::fmt;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName, ObjectKey, Uid};
use serde::{Serialize, Serializer};

use super::WatchKey;
use crate::{Seq, UnixMillis};

/// Names a command for ever: planning the same again after a crash gives the same one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct CommandId(pub [u8; 16]);

impl fmt::Display for CommandId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for CommandId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The part of an object that a command is about. A later command for the same slot replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// The object.
    #[bincode(with_serde)]
    pub object: ObjectKey,
    /// Which part of it, for instance `status`.
    pub part: String,
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}#{}", self.object, self.part)
    }
}

/// A condition in the status of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `type`.
    pub kind: String,
    /// `status`.
    pub status: String,
    /// `reason`.
    pub reason: String,
    /// `message`.
    pub message: String,
    /// `lastTransitionTime`.
    pub since: UnixMillis,
}

/// What should be so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// The ConfigMap with the local identity exists.
    WriteIdentity {
        /// The cluster's ID.
        #[bincode(with_serde)]
        id: ClusterId,
        /// The cluster's name.
        #[bincode(with_serde)]
        name: ClusterName,
    },
    /// A ForeignCluster carries its cluster ID as a label.
    LabelForeignCluster {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// The ID.
        #[bincode(with_serde)]
        id: ClusterId,
    },
    /// The tenant namespace of a peer exists.
    EnsureTenantNamespace {
        /// The peer.
        #[bincode(with_serde)]
        id: ClusterId,
    },
    /// A ForeignCluster has this status.
    WriteForeignClusterStatus {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// `status.tenantNamespace.local`.
        #[bincode(with_serde)]
        tenant_local: NamespaceName,
        /// `status.peeringConditions`, all of them.
        conditions: Vec<Condition>,
    },
    /// An object has a finalizer of ours, or has it no more.
    SetFinalizer {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// The finalizer.
        finalizer: String,
        /// Whether it should be there.
        present: bool,
    },
    /// A namespace's pods go through the webhook, or do no more.
    SetScheduling {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// Whether they should.
        enabled: bool,
    },
    /// A NamespaceMap asks for a remote namespace, or asks no more.
    MapNamespace {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// The local namespace.
        #[bincode(with_serde)]
        namespace: NamespaceName,
        /// The remote one; nothing to take the mapping away, which deletes it in the peer.
        #[bincode(with_serde)]
        remote: Option<NamespaceName>,
        /// The recorded cause.
        cause: Seq,
    },
    /// A NamespaceOffloading has this status.
    WriteOffloadingStatus {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// `status.remoteNamespaceName`.
        #[bincode(with_serde)]
        remote_name: NamespaceName,
        /// `status.offloadingPhase`.
        phase: String,
        /// `status.observedGeneration`.
        observed_generation: i64,
        /// `status.remoteNamespacesConditions`: by the name of the NamespaceMap.
        conditions: BTreeMap<String, Vec<Condition>>,
    },
    /// A watch is listed anew, so that absence is known and not assumed.
    Relist {
        /// Which one.
        watch: WatchKey,
    },
}

impl Effect {
    /// The name of the effect, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WriteIdentity { .. } => "WriteIdentity",
            Self::LabelForeignCluster { .. } => "LabelForeignCluster",
            Self::EnsureTenantNamespace { .. } => "EnsureTenantNamespace",
            Self::WriteForeignClusterStatus { .. } => "WriteForeignClusterStatus",
            Self::SetFinalizer { .. } => "SetFinalizer",
            Self::SetScheduling { .. } => "SetScheduling",
            Self::MapNamespace { .. } => "MapNamespace",
            Self::WriteOffloadingStatus { .. } => "WriteOffloadingStatus",
            Self::Relist { .. } => "Relist",
        }
    }

    /// Whether something in a peer is lost when it is carried out.
    pub fn is_destructive(&self) -> bool {
        match self {
            Self::MapNamespace { remote, .. } => remote.is_none(),
            Self::WriteIdentity { .. }
            | Self::LabelForeignCluster { .. }
            | Self::EnsureTenantNamespace { .. }
            | Self::WriteForeignClusterStatus { .. }
            | Self::SetFinalizer { .. }
            | Self::SetScheduling { .. }
            | Self::WriteOffloadingStatus { .. }
            | Self::Relist { .. } => false,
        }
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Its name for ever.
    pub id: CommandId,
    /// What it is about.
    pub slot: Slot,
    /// What should be so.
    pub effect: Effect,
}
