//! A model of a controller process around the real writer: engine, watches, lease, actuator and volume.
//!
//! Every stage is a step of its own, so that a crash can come between any two:
//!
//! ```text
//!  post ─► Work (accept, evolve, decide) ─► Cut ─► Flushed (durable) ─► Dispatch ─► Arrive (effect) ─► Answer ─► post
//! ```

mod act;
mod disk;
mod effect;
mod engine;
mod lease;
mod life;
mod links;
mod peering_effect;
mod rights;
mod sight;
mod start;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use liqo_domain::{Batch, Input, LiqoMachine, Moment, Outcome, Writer};
use liqo_events::{CommandId, Seq, UnixMillis};
use liqo_model::{ClusterRef, Kind, ObjectKey, Uid};

use crate::api::Stored;
use crate::world::NAMES;

pub(crate) use act::{Flight, Left, Reply};
pub(crate) use disk::Disk;
pub(crate) use effect::{owned_by, remote_of};
pub(crate) use lease::LeaseClient;
pub(crate) use life::{Life, Lives};
pub(crate) use links::PeerLink;
pub(crate) use watch::{Stage, Watcher};

/// The kinds that a process watches where namespaces are extended and everything else is a model's.
pub(crate) const WATCHED: [Kind; 6] = [
    Kind::ConfigMap,
    Kind::Namespace,
    Kind::Node,
    Kind::ForeignCluster,
    Kind::NamespaceOffloading,
    Kind::NamespaceMap,
];

/// The kinds that a process watches where it makes peerings.
pub(crate) const PEERING_WATCHED: [Kind; 19] = [
    Kind::ConfigMap,
    Kind::Namespace,
    Kind::Node,
    Kind::Pod,
    Kind::Secret,
    Kind::Service,
    Kind::ServiceAccount,
    Kind::RoleBinding,
    Kind::ClusterRoleBinding,
    Kind::Deployment,
    Kind::ForeignCluster,
    Kind::NamespaceOffloading,
    Kind::NamespaceMap,
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::NetworkConfig,
    Kind::TunnelEndpoint,
    Kind::IpamStorage,
    Kind::NatMapping,
];

/// What a process watches: a kind in its own cluster, or the copies of its own objects in that of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Watched {
    /// Whose API server.
    pub(crate) server: usize,
    pub(crate) kind: Kind,
}

impl fmt::Display for Watched {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", NAMES[self.server], self.kind)
    }
}

/// Which process of which cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessId {
    pub(crate) cluster: usize,
    pub(crate) replica: usize,
}

impl fmt::Display for ProcessId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", NAMES[self.cluster], self.replica)
    }
}

/// One run of a process; what was planned for an earlier one is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Actor {
    pub(crate) process: ProcessId,
    pub(crate) run: u32,
}

/// A process, running or not.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    /// Uid of its pod; a container that is started again has the same.
    pub(crate) pod: Uid,
    /// Counts starts.
    pub(crate) run: u32,
    pub(crate) running: Option<Running>,
    pub(crate) disk: Disk,
    /// How far the clock of its node is from that of the cluster.
    pub(crate) clock_offset: i64,
    /// Does nothing until then.
    pub(crate) paused_until: u64,
    /// The volume refuses until then.
    pub(crate) disk_fails_until: u64,
    /// The volume is slow until then.
    pub(crate) disk_slow_until: u64,
}

impl Process {
    pub(crate) fn new(id: ProcessId, pod: Uid) -> Self {
        Self {
            id,
            pod,
            run: 0,
            running: None,
            disk: Disk::default(),
            clock_offset: 0,
            paused_until: 0,
            disk_fails_until: 0,
            disk_slow_until: 0,
        }
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor { process: self.id, run: self.run }
    }
}

/// What comes into the engine.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Input(Input),
    Outcome(CommandId, Outcome),
}

/// Everything that a crash loses.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) writer: Writer<LiqoMachine>,
    /// The last event that the log had at the start.
    pub(crate) opened_at: Seq,
    /// When commands set out within the last minute.
    pub(crate) tries: BTreeMap<CommandId, VecDeque<u64>>,
    /// World time of the start, where its monotonic clock begins.
    pub(crate) started_at: u64,
    pub(crate) inbox: VecDeque<Message>,
    /// Whether a turn of the engine is planned.
    pub(crate) work_planned: bool,
    /// When a turn is planned for a deadline.
    pub(crate) tick_planned: Option<u64>,
    /// What the volume is writing.
    pub(crate) flushing: Option<Batch>,
    pub(crate) watchers: BTreeMap<Watched, Watcher>,
    pub(crate) lives: Lives,
    /// Peers that there is an identity at.
    pub(crate) peers: BTreeMap<usize, PeerLink>,
    /// Whether it is going to look who its peers are.
    pub(crate) links_planned: bool,
    pub(crate) lease: LeaseClient,
    /// Bodies of recent events.
    pub(crate) cache: BTreeMap<ObjectKey, Rc<Stored>>,
    /// Kinds that are to be listed before this process may act, with the epoch.
    pub(crate) before_live: Option<(u64, BTreeSet<Kind>)>,
    /// The log is in memory, and the process says so.
    pub(crate) degraded: Option<u64>,
}

impl Running {
    pub(crate) fn moment(&self, now: u64, wall: UnixMillis) -> Moment {
        Moment { wall, monotonic: now - self.started_at }
    }

    /// Whose API server a name stands for; nothing when there is no client for it.
    pub(crate) fn server(&self, actor: Actor, cluster: &ClusterRef) -> Option<usize> {
        match cluster {
            ClusterRef::Local => Some(actor.process.cluster),
            ClusterRef::Remote(id) => {
                self.peers.iter().find(|(_, peer)| peer.id == *id).map(|(server, _)| *server)
            }
        }
    }
}
