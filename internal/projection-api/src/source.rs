//! What this crate shows: the state and the log of a process, seen through traits so that no server knows the engine.

use std::collections::BTreeMap;
use std::future::Future;

use liqo_engine::Published;
use liqo_events::{Envelope, Seq, StateDigest};
use liqo_log::LogStatistics;
use liqo_projections::view::View;
use thiserror::Error;
use tokio::sync::watch;

use crate::Json;

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
    /// Whether its events are in memory only.
    pub degraded: bool,
    /// How many there are of each thing in its state.
    pub counts: BTreeMap<&'static str, u64>,
    /// Figures of its log, when they are known.
    pub log: Option<LogStatistics>,
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

/// A process whose state has topics.
pub trait ProjectionSource: Send + Sync + 'static {
    /// Where it stands; changes with each batch of events.
    fn published(&self) -> watch::Receiver<Published>;

    /// What is in a topic now; nothing when there is no such topic.
    fn view(&self, topic: &str) -> impl Future<Output = Result<Option<Sighting>, SourceError>> + Send;
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
}
