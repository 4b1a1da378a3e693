//! What others see of a running engine.

use std::fmt;
use std::sync::Arc;

use liqo_domain::Machine;
use liqo_events::{Envelope, Seq, UnixMillis};
use liqo_log::LogStatistics;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{EngineStopped, Inbox};

/// Reads that wait. Each is a view that is refreshed after a batch; there are a dozen.
pub(crate) const READS: usize = 64;

/// Questions about history that wait; people ask them.
pub(crate) const QUESTIONS: usize = 16;

/// Events in one answer: a few megabytes at most, and some milliseconds of the log.
pub(crate) const ANSWER: usize = 1024;

/// Appended events that a slow listener may be behind. Four batches: then it is told how many it missed.
pub(crate) const TAIL: usize = 1024;

/// How far the durable state is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The last durable event.
    pub seq: Seq,
    /// The epoch of the lease that this process holds, if it does.
    pub epoch: Option<u64>,
    /// Whether this process decides and acts.
    pub live: bool,
}

/// Why the log is only in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degradation {
    /// Since when.
    pub since: UnixMillis,
    /// What is wrong, for people.
    pub reason: String,
}

/// How the log stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStanding {
    /// Figures of the log that is in use: while degraded, of the one in memory.
    pub statistics: LogStatistics,
    /// The last event that a restart would find on the volume, in its snapshot or after it; 0 when there is none.
    pub on_volume: Seq,
    /// Position of the newest snapshot on the volume.
    pub snapshot: Option<Seq>,
    /// Why an earlier log was put aside at the start, if one was.
    pub put_aside: Option<String>,
}

/// Runs on the writer task.
pub(crate) type Read<S> = Box<dyn FnOnce(&S, Published) + Send>;

/// A question about the log's history.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) from: Seq,
    pub(crate) limit: usize,
    pub(crate) answer: oneshot::Sender<Vec<Envelope>>,
}

/// A running engine, as others see it.
pub struct Handle<M: Machine> {
    pub(crate) inbox: Inbox,
    pub(crate) reads: mpsc::Sender<Read<M::State>>,
    pub(crate) questions: mpsc::Sender<Question>,
    pub(crate) published: watch::Receiver<Published>,
    pub(crate) degraded: watch::Receiver<Option<Degradation>>,
    pub(crate) standing: watch::Receiver<LogStanding>,
    pub(crate) tail: broadcast::Sender<Arc<Envelope>>,
    pub(crate) stop: watch::Sender<bool>,
}

impl<M: Machine> Handle<M> {
    /// The way in.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Reads the durable state, between two batches. Short: nothing else happens meanwhile.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn read<T: Send + 'static>(
        &self,
        view: impl FnOnce(&M::State) -> T + Send + 'static,
    ) -> Result<T, EngineStopped> {
        self.read_published(|state, _| view(state)).await
    }

    /// As [`Self::read`], with the position that the state is of.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn read_published<T: Send + 'static>(
        &self,
        view: impl FnOnce(&M::State, Published) -> T + Send + 'static,
    ) -> Result<T, EngineStopped> {
        let (reply, answer) = oneshot::channel();
        // Nobody waits any more when the reply cannot be sent.
        let read: Read<M::State> = Box::new(move |state, published| drop(reply.send(view(state, published))));
        self.reads.send(read).await.map_err(|_| EngineStopped)?;
        answer.await.map_err(|_| EngineStopped)
    }

    /// Tells when the durable state has moved on.
    pub fn subscribe(&self) -> watch::Receiver<Published> {
        self.published.clone()
    }

    /// Tells whether the log is only in memory, and why.
    pub fn degraded(&self) -> watch::Receiver<Option<Degradation>> {
        self.degraded.clone()
    }

    /// How the log stands, as of its last work.
    pub fn log(&self) -> LogStanding {
        self.standing.borrow().clone()
    }

    /// Events from now on, as they become durable. Who falls behind is told how many it missed.
    pub fn tail(&self) -> broadcast::Receiver<Arc<Envelope>> {
        self.tail.subscribe()
    }

    /// Up to `limit` events of the log from `from` on, at most 1024. Empty when there are none, or when they cannot be
    /// read.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn history(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, EngineStopped> {
        let (answer, told) = oneshot::channel();
        let question = Question { from, limit: limit.min(ANSWER), answer };
        self.questions.send(question).await.map_err(|_| EngineStopped)?;
        told.await.map_err(|_| EngineStopped)
    }

    /// Asks the engine to end. It takes in what was sent, waits for commands that are under way, writes everything down
    /// and ends; its task says when that is done.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            inbox: self.inbox.clone(),
            reads: self.reads.clone(),
            questions: self.questions.clone(),
            published: self.published.clone(),
            degraded: self.degraded.clone(),
            standing: self.standing.clone(),
            tail: self.tail.clone(),
            stop: self.stop.clone(),
        }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Handle").field("published", &*self.published.borrow()).finish_non_exhaustive()
    }
}
