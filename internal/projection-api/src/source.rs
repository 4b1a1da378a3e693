//! What this crate shows: the state and the log of a process, seen through traits so that no server knows the engine.

use std::collections::BTreeMap;
use std::future::Future;

use liqo_engine::{Degradation, LogStanding, Published};
use liqo_events::{Envelope, Seq, StateDigest};
use liqo_model::{ClusterId, Uid};
use liqo_projections::view::View;
use thiserror::Error;
use tokio::sync::watch;

use crate::{AgentReport, Json};

/// A topic as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The moment.
    pub at: Published,
    /// What was in it.
    pub view: View<Json>,
}

/// How a process is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where it stands.
    pub published: Published,
    /// Fingerprint of its state.
    pub digest: StateDigest,
    /// Why its events are in memory only, when they are.
    pub degraded: Option<Degradation>,
    /// How many there are of each thing in its state.
    pub counts: BTreeMap<&'static str, u64>,
    /// Its log.
    pub log: LogStanding,
}

/// What an administrator let go of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// Whose it was.
    pub peer: ClusterId,
    /// Mappings that were held until now.
    pub mappings: usize,
}

/// Why a process does not say what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// It is stopping, or too busy to answer in time.
    #[error("the engine does not answer: it is stopping or overloaded; ask again")]
    Away,
    /// The log cannot be read.
    #[error("the log cannot be read: {reason}")]
    Log {
        /// What the log said.
        reason: String,
    },
}

/// Why nothing was let go of.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReleaseError {
    /// Only the leader decides.
    #[error("this process does not lead, so it decides nothing: {}", ask_leader(.leader))]
    Follower {
        /// Uid of the pod that leads, when it is known.
        leader: Option<Uid>,
    },
    /// Nothing is known of such a peer.
    #[error(
        "no peer is called {peer:?}: give its cluster ID, or the name of its ForeignCluster; known are {known}"
    )]
    Unknown {
        /// What was asked for.
        peer: String,
        /// The names of those that are known, for people.
        known: String,
    },
    /// The name stands for no cluster ID, or for several.
    #[error("the name {peer:?} does not say which cluster is meant, {why}: give a cluster ID")]
    Unclear {
        /// What was asked for.
        peer: String,
        /// Why not, for people.
        why: String,
    },
    /// The process does not answer.
    #[error(transparent)]
    Away(#[from] SourceError),
}

fn ask_leader(leader: &Option<Uid>) -> String {
    match leader {
        Some(uid) => format!("ask the pod with uid {uid}, which leads (--pod)"),
        None => "ask the pod that leads (--pod); nobody is known to lead now".to_owned(),
    }
}

/// A process whose state has topics.
pub trait ProjectionSource: Send + Sync + 'static {
    /// Where it stands; changes with each batch of events.
    fn published(&self) -> watch::Receiver<Published>;

    /// What is in a topic now; nothing when there is no such topic.
    fn view(&self, topic: &str) -> impl Future<Output = Result<Option<Sighting>, SourceError>> + Send;

    /// Takes in what the gateway sees. A source that decides nothing has no use for it.
    fn reported(&self, _report: AgentReport) -> impl Future<Output = Result<(), SourceError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A process whose log can be read.
pub trait DebugSource: Send + Sync + 'static {
    /// Where it stands; changes with each batch of events.
    fn published(&self) -> watch::Receiver<Published>;

    /// At most `limit` events from `from` on, in order. Retention may have dropped some of them.
    fn history(
        &self,
        from: Seq,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Envelope>, SourceError>> + Send;

    /// How it is doing.
    fn report(&self) -> impl Future<Output = Result<Report, SourceError>> + Send;

    /// Lets go of the mappings of a peer that are held, and waits until that is recorded.
    fn release(&self, peer: &str) -> impl Future<Output = Result<Released, ReleaseError>> + Send;
}
