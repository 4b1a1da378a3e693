//! What one reader is sent, when it is ready for more.

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use liqo_projections::view::{Change, View};
use liqo_proto::projection as wire;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::feed::Feed;
use super::ring::{Next, Position};
use crate::{Json, Metrics};

/// Longest silence. Three of them without a message tell a reader that the connection is dead.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);
/// After this a reader has to show its token again: an agent that lost its account is rid of in half an hour.
pub(crate) const STREAM_LIFE: Duration = Duration::from_secs(30 * 60);
/// Largest message. A hundred peers with a hundred namespaces each take a quarter of it.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What a reader waits for.
enum Wake {
    /// The topic was looked at.
    Look,
    /// Nothing was sent for long enough.
    Heartbeat,
}

/// One reader of a topic. It has no queue: the position is all that is kept for it.
#[derive(Debug)]
pub(super) struct Reader {
    feed: Arc<Feed>,
    looks: watch::Receiver<u64>,
    position: Option<Position>,
    silent_since: Instant,
    ends: Instant,
    stopping: watch::Receiver<bool>,
    open: Open,
}

/// Counts a stream as long as it is open.
#[derive(Debug)]
pub(super) struct Open {
    metrics: Metrics,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    pub(super) fn new(metrics: Metrics, slot: OwnedSemaphorePermit) -> Self {
        metrics.streams.inc();
        Self { metrics, _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.streams.dec();
    }
}

impl Reader {
    pub(super) fn new(
        feed: Arc<Feed>,
        from: Option<Position>,
        stopping: watch::Receiver<bool>,
        open: Open,
    ) -> Self {
        let (now, looks) = (Instant::now(), feed.looks());
        Self { feed, looks, position: from, silent_since: now, ends: now + STREAM_LIFE, stopping, open }
    }

    /// The messages, each made when it is asked for.
    pub(super) fn messages(self) -> impl Stream<Item = Result<wire::WatchResponse, Status>> + Send {
        unfold(Some(self), |reader| async {
            let mut reader = reader?;
            let message = reader.message().await;
            let rest = message.is_ok().then_some(reader);
            Some((message, rest))
        })
    }

    async fn message(&mut self) -> Result<wire::WatchResponse, Status> {
        loop {
            self.looks.mark_unchanged();
            let next = self.feed.next(self.position);
            if let Some(message) = self.news(next)? {
                self.silent_since = Instant::now();
                return Ok(wire::WatchResponse { update: Some(message) });
            }
            if let Wake::Heartbeat = self.wake().await?
                && let Next::Unchanged(at) = self.feed.next(self.position)
            {
                return Ok(self.heartbeat(at));
            }
        }
    }

    /// Waits until there is something to do, or the stream has to end.
    async fn wake(&mut self) -> Result<Wake, Status> {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => {
                Err(Status::unavailable("this process is stopping: connect again"))
            }
            () = sleep_until(self.ends) => {
                Err(Status::unavailable("the token has to be checked again: connect again"))
            }
            () = sleep_until(self.silent_since + HEARTBEAT) => Ok(Wake::Heartbeat),
            // The feed is held here, so its sender cannot be gone.
            looked = self.looks.changed() => looked.map(|()| Wake::Look).map_err(|_| not_live()),
        }
    }

    /// The message for what is new, if anything is.
    fn news(&mut self, next: Next) -> Result<Option<wire::watch_response::Update>, Status> {
        let (at, update) = match next {
            Next::NotLive => return Err(not_live()),
            Next::Unchanged(_) => return Ok(None),
            Next::Snapshot(at, view) => {
                self.open.metrics.snapshots.inc();
                (at, wire::watch_response::Update::Snapshot(snapshot(at, &view)?))
            }
            Next::Delta(at, change) => {
                self.open.metrics.deltas.inc();
                let from = self.position.map(|position| position.seq.0).unwrap_or_default();
                (at, wire::watch_response::Update::Delta(delta(from, at, change)))
            }
        };
        self.position = Some(at);
        Ok(Some(update))
    }

    fn heartbeat(&mut self, at: Position) -> wire::WatchResponse {
        self.open.metrics.heartbeats.inc();
        self.position = Some(at);
        self.silent_since = Instant::now();
        let heartbeat = wire::Heartbeat { epoch: at.epoch, seq: at.seq.0 };
        wire::WatchResponse { update: Some(wire::watch_response::Update::Heartbeat(heartbeat)) }
    }
}

pub(super) fn not_live() -> Status {
    Status::unavailable("this process does not lead, or not yet: connect again to reach the one that does")
}

fn snapshot(at: Position, view: &View<Json>) -> Result<wire::Snapshot, Status> {
    let bytes: usize = view.iter().map(|(key, json)| key.len() + json.len() + 16).sum();
    if bytes > MOST_BYTES {
        return Err(Status::resource_exhausted(format!(
            "the view takes {bytes} bytes, more than {MOST_BYTES}"
        )));
    }
    Ok(wire::Snapshot { epoch: at.epoch, seq: at.seq.0, entries: entries(view) })
}

fn delta(from: u64, at: Position, change: Change<Json>) -> wire::Delta {
    wire::Delta {
        epoch: at.epoch,
        from_seq: from,
        seq: at.seq.0,
        changed: entries(&change.changed),
        removed: change.removed.into_iter().collect(),
    }
}

fn entries(view: &View<Json>) -> Vec<wire::Entry> {
    view.iter().map(|(key, json)| wire::Entry { key: key.clone(), json: json.to_string() }).collect()
}
