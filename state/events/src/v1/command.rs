//! What is to be done: a command names what should be so, never how.

use std::collections::BTreeMap;
use std::fmt;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, NamespaceName, ObjectKey, Uid};
use serde::{Serialize, Serializer};

use super::content::{Content, OwnedBy, Status};
use super::{BodyDigest, WatchKey};
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
        /// `status.tenantNamespace.remote`.
        #[bincode(with_serde)]
        tenant_remote: NamespaceName,
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
    /// An object of ours exists and says this. Made when it is missing.
    Put {
        /// What it says.
        content: Content,
    },
    /// The status of an object says this.
    PutStatus {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// What it says.
        status: Status,
    },
    /// An object is gone.
    Delete {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// Seconds that it may take; as the object has it when there is none.
        grace: Option<u32>,
        /// The recorded cause.
        cause: Seq,
    },
    /// This cluster has an identity at a peer, in a Secret in the tenant namespace.
    Authenticate {
        /// The peer.
        #[bincode(with_serde)]
        id: ClusterId,
        /// The peer's name.
        #[bincode(with_serde)]
        name: ClusterName,
        /// Where its authentication service is.
        auth_url: String,
        /// Whether its certificate is not verified.
        skip_tls_verify: bool,
        /// The tenant namespace here.
        #[bincode(with_serde)]
        tenant: NamespaceName,
        /// This cluster.
        #[bincode(with_serde)]
        home: ClusterId,
        /// This cluster's name.
        #[bincode(with_serde)]
        home_name: ClusterName,
    },
    /// The copy of an object in a peer has the spec of its origin.
    Replicate {
        /// The origin.
        #[bincode(with_serde)]
        from: ObjectKey,
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// Its spec.
        spec: BodyDigest,
        /// This cluster.
        #[bincode(with_serde)]
        home: ClusterId,
    },
    /// An origin has the status of its copy.
    ReplicateStatus {
        /// The copy.
        #[bincode(with_serde)]
        from: ObjectKey,
        /// The life of the origin.
        #[bincode(with_serde)]
        uid: Uid,
        /// The status of the copy.
        status: BodyDigest,
    },
    /// A copy of an object at home is in the provider.
    Reflect {
        /// The object at home.
        #[bincode(with_serde)]
        from: ObjectKey,
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// What is copied of it.
        content: BodyDigest,
    },
    /// A pod at home has the status of the one in the provider.
    MirrorStatus {
        /// The pod in the provider.
        #[bincode(with_serde)]
        from: ObjectKey,
        /// The life of the pod at home.
        #[bincode(with_serde)]
        uid: Uid,
        /// The status in the provider.
        status: BodyDigest,
    },
    /// The object that a shadow stands for exists.
    Materialize {
        /// The shadow: a ShadowPod or a ShadowEndpointSlice.
        #[bincode(with_serde)]
        from: ObjectKey,
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// What it says.
        content: BodyDigest,
        /// Whether the consumer can be reached, without which none of its endpoints is ready. Always so for pods.
        reachable: bool,
    },
    /// A request for a certificate is approved.
    ApproveSigning {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
    },
    /// A ForeignCluster is the controller of an object, which goes with it.
    SetOwner {
        /// Its life.
        #[bincode(with_serde)]
        uid: Uid,
        /// The ForeignCluster.
        owner: OwnedBy,
    },
    /// What was issued to a peer is in use, and no token gets the peer anything else; or it is not in use any more.
    SetEnrolled {
        /// The life of the Secret with it.
        #[bincode(with_serde)]
        uid: Uid,
        /// The peer.
        #[bincode(with_serde)]
        peer: ClusterId,
        /// Whether it is in use.
        enrolled: bool,
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
            Self::Put { .. } => "Put",
            Self::PutStatus { .. } => "PutStatus",
            Self::Delete { .. } => "Delete",
            Self::Authenticate { .. } => "Authenticate",
            Self::Replicate { .. } => "Replicate",
            Self::ReplicateStatus { .. } => "ReplicateStatus",
            Self::Reflect { .. } => "Reflect",
            Self::MirrorStatus { .. } => "MirrorStatus",
            Self::Materialize { .. } => "Materialize",
            Self::ApproveSigning { .. } => "ApproveSigning",
            Self::SetOwner { .. } => "SetOwner",
            Self::SetEnrolled { .. } => "SetEnrolled",
        }
    }

    /// Whether something in a peer is lost when it is carried out.
    pub fn is_destructive(&self) -> bool {
        match self {
            Self::MapNamespace { remote, .. } => remote.is_none(),
            Self::Delete { .. } => true,
            Self::WriteIdentity { .. }
            | Self::LabelForeignCluster { .. }
            | Self::EnsureTenantNamespace { .. }
            | Self::WriteForeignClusterStatus { .. }
            | Self::SetFinalizer { .. }
            | Self::SetScheduling { .. }
            | Self::WriteOffloadingStatus { .. }
            | Self::Relist { .. }
            | Self::Put { .. }
            | Self::PutStatus { .. }
            | Self::Authenticate { .. }
            | Self::Replicate { .. }
            | Self::ReplicateStatus { .. }
            | Self::Reflect { .. }
            | Self::MirrorStatus { .. }
            | Self::Materialize { .. }
            | Self::ApproveSigning { .. }
            | Self::SetOwner { .. }
            | Self::SetEnrolled { .. } => false,
        }
    }

    /// The life that the effect is about; nothing when it makes the object, or needs none.
    pub fn life(&self) -> Option<&Uid> {
        match self {
            Self::LabelForeignCluster { uid, .. }
            | Self::WriteForeignClusterStatus { uid, .. }
            | Self::SetFinalizer { uid, .. }
            | Self::SetScheduling { uid, .. }
            | Self::MapNamespace { uid, .. }
            | Self::WriteOffloadingStatus { uid, .. }
            | Self::PutStatus { uid, .. }
            | Self::Delete { uid, .. }
            | Self::ReplicateStatus { uid, .. }
            | Self::MirrorStatus { uid, .. }
            | Self::SetOwner { uid, .. }
            | Self::SetEnrolled { uid, .. }
            | Self::ApproveSigning { uid } => Some(uid),
            Self::WriteIdentity { .. }
            | Self::EnsureTenantNamespace { .. }
            | Self::Relist { .. }
            | Self::Put { .. }
            | Self::Authenticate { .. }
            | Self::Replicate { .. }
            | Self::Reflect { .. }
            | Self::Materialize { .. } => None,
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
