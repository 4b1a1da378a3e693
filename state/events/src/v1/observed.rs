//! What was seen.

use std::collections::BTreeMap;
use std::fmt;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, ClusterName, ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion, Uid};
use serde::{Serialize, Serializer};

use super::{CommandId, Facts};
use crate::UnixMillis;

/// The process started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Uid of the pod, or whatever names this instance.
    #[bincode(with_serde)]
    pub instance: Uid,
    /// Version of the program.
    pub version: String,
    /// Namespace that Liqo is installed in.
    #[bincode(with_serde)]
    pub namespace: NamespaceName,
    /// Name that the cluster is to have when it has none yet; empty to make one up.
    #[bincode(with_serde)]
    pub cluster_name: ClusterName,
    /// Random bytes for choices that need chance, so that a replay makes the same ones. Nothing secret is made of them.
    pub entropy: [u8; 16],
}

/// A keyed digest of an object's body: tells that something changed without telling what.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BodyDigest(pub [u8; 16]);

impl fmt::Display for BodyDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for BodyDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for BodyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An object was seen, new or changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Its name.
    #[bincode(with_serde)]
    pub object: ObjectKey,
    /// Its life.
    #[bincode(with_serde)]
    pub uid: Uid,
    /// Its version.
    #[bincode(with_serde)]
    pub resource_version: ResourceVersion,
    /// `metadata.generation`; 0 where the kind has none.
    pub generation: i64,
    /// `metadata.creationTimestamp`.
    pub created_at: UnixMillis,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// Digest of the body.
    pub digest: BodyDigest,
    /// The fields that decisions need.
    pub facts: Facts,
    /// Earlier updates of the object that this one stands for as well.
    pub coalesced: u32,
}

/// Why an object is known to be gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// The watch said so.
    Deleted,
    /// A complete list, answered by a quorum, of the same cluster generation lacks its uid.
    AbsentFromList {
        /// Generation of the cluster that the list is of.
        generation: u64,
    },
}

/// An object is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vanished {
    /// Its name.
    #[bincode(with_serde)]
    pub object: ObjectKey,
    /// The life that ended.
    #[bincode(with_serde)]
    pub uid: Uid,
    /// Version of the deletion, or of the list.
    #[bincode(with_serde)]
    pub resource_version: ResourceVersion,
    /// Why it is known to be gone.
    pub proof: Proof,
}

/// What one watch is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchKey {
    /// Whose API server.
    #[bincode(with_serde)]
    pub cluster: ClusterRef,
    /// Which kind.
    #[bincode(with_serde)]
    pub kind: Kind,
    /// Namespace and label selector as the watch has them; empty for everything.
    pub selector: String,
}

impl WatchKey {
    /// The namespace that the watch is confined to; empty when it sees all.
    pub fn namespace(&self) -> &str {
        let first = self.selector.split(';').next().unwrap_or_default();
        first.strip_prefix("namespace=").unwrap_or_default()
    }

    /// Whether an object of the watch's kind and cluster is where it looks.
    pub fn reaches(&self, namespace: &str) -> bool {
        self.namespace().is_empty() || self.namespace() == namespace
    }
}

impl fmt::Display for WatchKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.cluster, self.kind)?;
        if self.selector.is_empty() { Ok(()) } else { write!(out, "[{}]", self.selector) }
    }
}

/// Everything of a watch up to a version was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CursorMoved {
    /// Which watch.
    pub watch: WatchKey,
    /// Up to where.
    #[bincode(with_serde)]
    pub resource_version: ResourceVersion,
}

/// A complete list of a watch was compared with what was known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelistCompleted {
    /// Which watch.
    pub watch: WatchKey,
    /// Version of the list.
    #[bincode(with_serde)]
    pub resource_version: ResourceVersion,
    /// Generation of the cluster that it is of.
    pub generation: u64,
    /// Objects in it.
    pub objects: u32,
    /// Events that the comparison gave.
    pub differences: u32,
}

/// An API server is not the one that it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerationChanged {
    /// Which one.
    #[bincode(with_serde)]
    pub cluster: ClusterRef,
    /// Uid of its namespace kube-system, which stands for the cluster's life.
    #[bincode(with_serde)]
    pub uid: Uid,
    /// The generation that begins; the first time that a cluster is seen is generation 1.
    pub generation: u64,
    /// What gave it away, in words.
    pub reason: String,
}

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Deadline {
    /// Try a command again.
    Retry(CommandId),
    /// Look again whether a mapping really has no offloading.
    Orphan {
        /// The map.
        #[bincode(with_serde)]
        map: ObjectKey,
        /// The local namespace.
        #[bincode(with_serde)]
        namespace: NamespaceName,
    },
}

/// A deadline passed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadlinePassed {
    /// Which one.
    pub deadline: Deadline,
}

/// This process may act.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseGained {
    /// Grows with each holder; also the epoch of projection streams.
    pub epoch: u64,
    /// Whether the same pod held the lease before, so that its log has everything.
    pub continued: bool,
}

/// This process must not act any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseLost {
    /// The epoch that ended.
    pub epoch: u64,
}

/// An administrator let go of what was held after a generation change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanReleased {
    /// The map.
    #[bincode(with_serde)]
    pub map: ObjectKey,
    /// The local namespace.
    #[bincode(with_serde)]
    pub namespace: NamespaceName,
}

/// How a process is configured, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Configured {
    /// Settings of its role.
    pub settings: Settings,
}

/// Settings of a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Settings {
    /// Of the controller manager.
    ControlPlane(ControlPlaneSettings),
    /// Of a virtual kubelet.
    Kubelet(KubeletSettings),
}

/// Settings of the controller manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlaneSettings {
    /// CIDR of the pods; empty when it was not given, and then there is no network.
    pub pod_cidr: String,
    /// CIDR of the services.
    pub service_cidr: String,
    /// CIDRs that are never given to a peer.
    pub reserved: Vec<String>,
    /// Share of what is free that a peer is offered, in percent.
    pub sharing_percentage: u8,
    /// Labels of this cluster's virtual nodes in consumers.
    pub labels: BTreeMap<String, String>,
    /// Whether a consumer may peer when its ForeignCluster says `Auto`.
    pub incoming: bool,
    /// Public key of the gateway, base64; empty until it is made.
    pub public_key: String,
    /// Bytes of the longest packet in the tunnel.
    pub mtu: u16,
    /// Tells apart what virtual kubelets are made with: those that were made with something else are changed.
    pub virtual_kubelet: String,
}

/// Settings of a virtual kubelet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletSettings {
    /// The provider.
    #[bincode(with_serde)]
    pub remote: ClusterId,
    /// The provider's name.
    #[bincode(with_serde)]
    pub remote_name: ClusterName,
    /// This cluster.
    #[bincode(with_serde)]
    pub home: ClusterId,
    /// This cluster's name.
    #[bincode(with_serde)]
    pub home_name: ClusterName,
    /// The tenant namespace here.
    #[bincode(with_serde)]
    pub tenant: NamespaceName,
    /// Name of the virtual node.
    pub node: String,
    /// Address of this pod, where its kubelet API listens.
    pub address: String,
    /// Version that the node shows.
    pub version: String,
    /// Whether the node is only ready while the tunnel is connected.
    pub check_network: bool,
    /// Whether the node is ready also while the provider's API server does not answer.
    pub ignore_api_server: bool,
    /// Port of the kubelet API.
    pub port: u16,
    /// Labels of the node beside those of the offer, which win.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the node.
    pub annotations: BTreeMap<String, String>,
    /// Kinds that are not copied.
    #[bincode(with_serde)]
    pub not_reflected: Vec<Kind>,
}

/// The connection to a peer through the tunnel, as the gateway sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TunnelReported {
    /// The peer.
    #[bincode(with_serde)]
    pub peer: ClusterId,
    /// Address of the gateway that says so.
    pub gateway: String,
    /// Whether packets pass.
    pub connected: bool,
    /// Round trip in microseconds, rounded so that small changes are none; 0 when it is not known.
    pub round_trip_micros: u32,
    /// What is wrong; empty when nothing is.
    pub trouble: String,
}

/// Whether the API server of a peer answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerProbed {
    /// Which one.
    #[bincode(with_serde)]
    pub cluster: ClusterRef,
    /// Whether it does.
    pub reachable: bool,
    /// What is wrong; empty when nothing is.
    pub trouble: String,
}
