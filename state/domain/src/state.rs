//! Everything that is known. It follows from the events alone, and every decision follows from it alone.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{
    BodyDigest, CommandId, Configured, ControlPlaneSettings, CursorMoved, Deadline, ExternalCidrChosen,
    Facts, GenerationChanged, IdentityChosen, KubeletSettings, Rejected, RelistCompleted,
    RemoteNamespaceChosen, Seq, ServerProbed, Settings, ShareReported, SharingConfigured, Slot, Started,
    StateDigest, SubnetsChosen, TunnelReported, UnixMillis, WatchKey,
};
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion, Uid};

use crate::about::Index;
use crate::aggregate::Aggregate;
use crate::outbox::Pending;
use crate::quota::Account;
use crate::table::{Table, hash_of};
use crate::watching::Mapped;

/// An event that still counts, with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fact<T> {
    /// Where it was recorded.
    pub seq: Seq,
    /// When.
    pub at: UnixMillis,
    /// What it says.
    pub body: T,
}

/// An object as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its life.
    pub uid: Uid,
    /// Its version.
    pub resource_version: ResourceVersion,
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.creationTimestamp`.
    pub created_at: UnixMillis,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Digest of its body.
    pub digest: BodyDigest,
    /// What it says.
    pub facts: Facts,
    /// The event that said so.
    pub seen: Seq,
    /// When that was recorded.
    pub seen_at: UnixMillis,
    /// Generation of the cluster that it was seen in.
    pub cluster_generation: u64,
    /// Updates that the event stood for besides its own.
    pub coalesced: u32,
}

/// The end of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grave {
    /// The life that ended.
    pub uid: Uid,
    /// The version at which it was gone.
    pub resource_version: ResourceVersion,
}

/// An answer that the watch has not confirmed yet: a write, or word that there is nothing to be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Written {
    /// The command that wrote.
    pub id: CommandId,
    /// Hash of its effect.
    pub effect: u64,
    /// Version of the object after it.
    pub resource_version: ResourceVersion,
    /// Whether something in a peer was lost.
    pub destructive: bool,
    /// Where the outcome was recorded.
    pub seq: Seq,
    /// When.
    pub at: UnixMillis,
}

/// A copy that was made: it counts until its object is changed by somebody else, or goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mirrored {
    /// The command that made it.
    pub id: CommandId,
    /// Hash of its effect.
    pub effect: u64,
    /// Where the outcome was recorded.
    pub seq: Seq,
    /// When.
    pub at: UnixMillis,
}

/// A mapping in a NamespaceMap whose NamespaceOffloading nobody has seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Orphan {
    /// Where that was recorded.
    pub noticed: Seq,
    /// When.
    pub noticed_at: UnixMillis,
    /// Generation of the cluster then.
    pub generation: u64,
    /// Kept until an administrator lets go.
    pub held: bool,
    /// The event that said that the minute before the second look is over.
    pub due: Option<Seq>,
    /// The administrator's word.
    pub released: Option<Seq>,
}

/// Whether this process may act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The last epoch heard of.
    pub epoch: u64,
    /// Whether it is ours.
    pub held: bool,
    /// Whether the pod held it before without a gap.
    pub continued: bool,
    /// Where that was recorded.
    pub seq: Seq,
    /// When.
    pub at: UnixMillis,
}

/// What is derived from the rest: excluded from equality and from the fingerprint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Derived {
    /// What the last event touched.
    pub touched: BTreeSet<Aggregate>,
    /// Command of each slot.
    pub slots: BTreeMap<Slot, CommandId>,
    /// Armed deadlines by the moment that they are due, with when they were armed.
    pub deadlines: BTreeSet<(UnixMillis, Deadline, UnixMillis)>,
    /// Slots of each object that await their observation.
    pub awaited: BTreeMap<ObjectKey, BTreeSet<Slot>>,
    /// What the nodes have and the pods take.
    pub account: Account,
    /// Local objects by the peer that they are about.
    pub about: Index,
    /// For a virtual kubelet, which namespaces extend.
    pub mapped: Mapped,
    /// Whether events are folded in that nobody decides on: what they touch is not looked at.
    pub replays: bool,
}

impl Derived {
    pub(crate) fn touch(&mut self, aggregate: Aggregate) {
        if !self.replays {
            self.touched.insert(aggregate);
        }
    }
}

impl PartialEq for Derived {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Everything that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The last start.
    pub started: Option<Fact<Started>>,
    /// Whether this process may act.
    pub lease: Lease,
    /// The lives of the API servers.
    pub clusters: Table<ClusterRef, Fact<GenerationChanged>>,
    /// How the process is configured.
    pub configured: Option<Fact<Configured>>,
    /// How far each watch has been followed; by its namespace, which is empty for one that sees all.
    pub cursors: Table<(ClusterRef, Kind, String), Fact<CursorMoved>>,
    /// The last complete list of each watch.
    pub lists: Table<WatchKey, Fact<RelistCompleted>>,
    /// Every object that is watched.
    pub objects: Table<ObjectKey, Object>,
    /// What has gone since the cursor of its kind was recorded: a restarted watch begins at the cursor and shows the life of
    /// these once more, which is not to be taken for a new one. As many as go between two records of a cursor, a minute.
    pub graves: Table<ObjectKey, Fact<Grave>>,
    /// The identity of the local cluster.
    pub identity: Option<Fact<IdentityChosen>>,
    /// The external CIDR of this cluster.
    pub external_cidr: Option<Fact<ExternalCidrChosen>>,
    /// The networks by which this cluster names those of its peers.
    pub subnets: Table<ClusterId, Fact<SubnetsChosen>>,
    /// The connections through the tunnel.
    pub tunnels: Table<ClusterId, Fact<TunnelReported>>,
    /// Whether the API servers of peers answer.
    pub probes: Table<ClusterRef, Fact<ServerProbed>>,
    /// How offers are made.
    pub sharing: Option<Fact<SharingConfigured>>,
    /// What an external resource monitor said of each consumer; nothing when there is no monitor.
    pub shares: Table<ClusterId, Fact<ShareReported>>,
    /// Remote names of namespaces, by the local ones.
    pub remote_names: Table<NamespaceName, Fact<RemoteNamespaceChosen>>,
    /// Lives of offloadings that certainly ended while a mapping of theirs remains.
    pub gone_offloadings: Table<NamespaceName, Fact<Uid>>,
    /// Mappings whose offloading nobody has seen.
    pub orphans: Table<(ObjectKey, NamespaceName), Orphan>,
    /// Objects that ask for what cannot be.
    pub rejected: Table<ObjectKey, Fact<Rejected>>,
    /// Commands without an outcome.
    pub outbox: Table<CommandId, Pending>,
    /// Writes that the watch has not shown yet.
    pub written: Table<Slot, Written>,
    /// Copies that were made, of what no comparison of facts can tell whether they are up to date.
    pub mirrored: Table<Slot, Mirrored>,
    pub(crate) derived: Derived,
}

impl State {
    /// The fingerprint of everything but what is derived.
    pub fn digest(&self) -> StateDigest {
        let parts = [
            hash_of(&self.started),
            hash_of(&self.lease),
            self.clusters.digest(),
            self.cursors.digest(),
            self.lists.digest(),
            self.objects.digest(),
            self.graves.digest(),
            hash_of(&self.configured),
            hash_of(&self.identity),
            hash_of(&self.external_cidr),
            self.subnets.digest(),
            self.tunnels.digest(),
            self.probes.digest(),
            self.mirrored.digest(),
            self.remote_names.digest(),
            self.gone_offloadings.digest(),
            self.orphans.digest(),
            self.rejected.digest(),
            self.outbox.digest(),
            self.written.digest(),
            hash_of(&self.sharing),
            self.shares.digest(),
        ];
        StateDigest(hash_of(&parts))
    }

    /// Settings of the controller manager, when this is one.
    pub fn control_plane(&self) -> Option<&ControlPlaneSettings> {
        match &self.configured.as_ref()?.body.settings {
            Settings::ControlPlane(settings) => Some(settings),
            Settings::Kubelet(_) => None,
        }
    }

    /// Settings of the virtual kubelet, when this is one.
    pub fn kubelet(&self) -> Option<&KubeletSettings> {
        match &self.configured.as_ref()?.body.settings {
            Settings::Kubelet(settings) => Some(settings),
            Settings::ControlPlane(_) => None,
        }
    }

    /// The place of a watch among the cursors.
    pub(crate) fn cursor_key(watch: &WatchKey) -> (ClusterRef, Kind, String) {
        (watch.cluster.clone(), watch.kind, watch.namespace().to_owned())
    }

    /// How far the watches of a kind have been followed.
    pub fn cursors_of(
        &self,
        cluster: &ClusterRef,
        kind: Kind,
    ) -> impl Iterator<Item = &Fact<CursorMoved>> + use<'_> {
        let cluster = cluster.clone();
        self.cursors
            .range((cluster.clone(), kind, String::new())..)
            .take_while(move |(key, _)| key.0 == cluster && key.1 == kind)
            .map(|(_, cursor)| cursor)
    }

    /// The last complete list that an object would be in, in the present generation of its cluster.
    pub fn list_for(&self, key: &ObjectKey) -> Option<&Fact<RelistCompleted>> {
        let first = WatchKey { cluster: key.cluster.clone(), kind: key.kind, selector: String::new() };
        let generation = self.generation(&key.cluster);
        self.lists
            .range(first..)
            .take_while(|(watch, _)| watch.cluster == key.cluster && watch.kind == key.kind)
            .filter(|(watch, _)| watch.reaches(&key.namespace))
            .map(|(_, list)| list)
            .find(|list| list.body.generation == generation)
    }

    /// The generation of a cluster; 0 when it was never heard of.
    pub fn generation(&self, cluster: &ClusterRef) -> u64 {
        self.clusters.get(cluster).map_or(0, |life| life.body.generation)
    }

    /// Objects of one kind in one cluster, in the order of their names.
    pub fn objects_of(
        &self,
        cluster: &ClusterRef,
        kind: Kind,
    ) -> impl Iterator<Item = (&ObjectKey, &Object)> {
        let first =
            ObjectKey { cluster: cluster.clone(), kind, namespace: String::new(), name: String::new() };
        let cluster = cluster.clone();
        self.objects.range(first..).take_while(move |(key, _)| key.cluster == cluster && key.kind == kind)
    }

    /// Local objects of one kind.
    pub fn local(&self, kind: Kind) -> impl Iterator<Item = (&ObjectKey, &Object)> {
        self.objects_of(&ClusterRef::Local, kind)
    }

    /// The last complete list of a local kind in the present generation, whatever its selector.
    pub fn local_list(&self, kind: Kind) -> Option<&Fact<RelistCompleted>> {
        let first = WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() };
        let generation = self.generation(&ClusterRef::Local);
        self.lists
            .range(first..)
            .take_while(|(watch, _)| watch.cluster == ClusterRef::Local && watch.kind == kind)
            .map(|(_, list)| list)
            .find(|list| list.body.generation == generation)
    }

    /// The epoch that another container of the same pod may go on from: the log ends in it, and its holder had seen
    /// everything, that is each of these kinds in a complete list since it gained the lease, or it went on itself. The
    /// lease must still say this epoch and this holder, or somebody else has acted since.
    pub fn resumable_epoch(&self, kinds: &[Kind]) -> Option<u64> {
        let lease = &self.lease;
        let seen = |kind: &Kind| self.local_list(*kind).is_some_and(|list| list.seq > lease.seq);
        let whole = lease.continued || kinds.iter().all(seen);
        (lease.held && whole).then_some(lease.epoch)
    }

    /// The newest version of a kind that was seen in the present generation of a cluster or made by a write to it: a list
    /// that is older than this is of an earlier state of the cluster. Cursors may lag behind it, since they are recorded
    /// now and then.
    pub fn newest_version(&self, cluster: &ClusterRef, kind: Kind) -> Option<&ResourceVersion> {
        let generation = self.generation(cluster);
        let seen =
            self.objects_of(cluster, kind).filter(|(_, object)| object.cluster_generation == generation);
        let seen = seen.map(|(_, object)| &object.resource_version);
        let is_of = |slot: &Slot| slot.object.cluster == *cluster && slot.object.kind == kind;
        let written = self.written.iter().filter(|(slot, _)| is_of(slot));
        let written = written.map(|(_, written)| &written.resource_version);
        let cursor = self.cursors_of(cluster, kind).map(|cursor| &cursor.body.resource_version);
        let gone = self.graves.iter().filter(|(key, _)| key.cluster == *cluster && key.kind == kind);
        let gone = gone.map(|(_, grave)| &grave.body.resource_version);
        seen.chain(gone).chain(written).chain(cursor).fold(None, |newest, version| match newest {
            Some(newest) if !newest.is_older_than(version) => Some(newest),
            Some(_) | None => Some(version),
        })
    }

    /// Whether a local kind was listed completely after an event.
    pub(crate) fn is_listed_after(&self, kind: Kind, event: Seq) -> bool {
        self.local_list(kind).is_some_and(|list| list.seq > event)
    }

    pub(crate) fn touch(&mut self, aggregate: Aggregate) {
        self.derived.touch(aggregate);
    }
}
