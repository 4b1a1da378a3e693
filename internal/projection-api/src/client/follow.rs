//! Follows a topic: connects, listens, connects again.

use std::sync::Arc;
use std::time::Duration;

use liqo_events::Seq;
use liqo_projections::view::{Change, View};
use liqo_proto::projection as wire;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Status, Streaming};

use super::dial::{CONNECT, ClientError, Connection, Credentials, Pauses, SILENCE, dial};
use super::{Acceptance, Position, Update, Verdict};
use crate::Json;

/// What an agent knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The position of the view; nothing before the first one was accepted.
    pub at: Option<Position>,
    /// The view.
    pub view: Arc<View<Json>>,
    /// Whether a leader confirms it right now. What an agent does must not depend on this: it goes on with what it has.
    pub current: bool,
}

/// How a connection ended.
enum End {
    Failed(ClientError),
    /// A second opinion is due then.
    AskAgain(Duration),
}

impl From<ClientError> for End {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

/// Follows a topic until nobody wants to know any more, from what was accepted earlier.
pub async fn follow<C: Credentials>(
    connection: Connection,
    credentials: C,
    start: Acceptance,
    into: watch::Sender<Followed>,
) {
    let pauses = Pauses::new(connection.seed);
    let mut follower = Follower { connection, credentials, acceptance: start, began: Instant::now(), pauses };
    follower.publish(&into, false);
    loop {
        let pause = tokio::select! {
            () = into.closed() => return,
            end = follower.connection_life(&into) => follower.pause(end),
        };
        follower.publish(&into, false);
        tokio::select! {
            () = into.closed() => return,
            () = sleep(pause) => {}
        }
    }
}

struct Follower<C> {
    connection: Connection,
    credentials: C,
    acceptance: Acceptance,
    began: Instant,
    pauses: Pauses,
}

impl<C: Credentials> Follower<C> {
    /// From connecting to the end of the stream.
    async fn connection_life(&mut self, into: &watch::Sender<Followed>) -> End {
        let mut stream = match self.open().await {
            Ok(stream) => stream,
            Err(error) => return error.into(),
        };
        loop {
            let message = match timeout(SILENCE, stream.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return ClientError::Ended(Status::unavailable("it ended the stream")).into(),
                Ok(Err(status)) => return ClientError::Ended(status).into(),
                Err(_) => return ClientError::Silent.into(),
            };
            if let Some(end) = self.take_in(message, into) {
                return end;
            }
        }
    }

    async fn open(&self) -> Result<Streaming<wire::WatchResponse>, ClientError> {
        let mut dialled = dial(&self.connection, &self.credentials).await?;
        let from = self.acceptance.resume_from().map(|at| wire::Position { epoch: at.epoch, seq: at.seq.0 });
        let request = dialled.request(wire::WatchRequest { topic: self.connection.topic.clone(), from });
        let answer = timeout(CONNECT, dialled.client.watch(request)).await;
        let address = || self.connection.address.clone();
        let answer = answer.map_err(|_| ClientError::Connect { address: address(), source: None })?;
        Ok(answer.map_err(ClientError::Ended)?.into_inner())
    }

    /// Takes a message in; the way the connection ends, if it does.
    fn take_in(&mut self, message: wire::WatchResponse, into: &watch::Sender<Followed>) -> Option<End> {
        let Some(update) = message.update.map(update) else { return Some(ClientError::Empty.into()) };
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.acceptance.offer(update, now) {
            Verdict::Applied | Verdict::Unchanged => {
                self.pauses.reset();
                self.publish(into, true);
                None
            }
            Verdict::Older => Some(ClientError::Older.into()),
            Verdict::Gap => Some(ClientError::Gap.into()),
            Verdict::Suspected { again_after_millis } => {
                Some(End::AskAgain(Duration::from_millis(again_after_millis)))
            }
        }
    }

    fn publish(&self, into: &watch::Sender<Followed>, current: bool) {
        into.send_if_modified(|followed| {
            let at = self.acceptance.at();
            let same_view = *followed.view == *self.acceptance.view();
            let modified = !same_view || followed.current != current || followed.at.is_none() != at.is_none();
            if !same_view {
                followed.view = Arc::new(self.acceptance.view().clone());
            }
            (followed.at, followed.current) = (at, current);
            modified
        });
    }

    /// How long to wait before the next connection.
    fn pause(&mut self, end: End) -> Duration {
        match end {
            End::AskAgain(after) => {
                tracing::warn!(
                    topic = self.connection.topic,
                    "the control plane wants most of what it wanted before gone; it is asked again before that is done"
                );
                after
            }
            End::Failed(error) => self.pauses.after(&self.connection.topic, &error),
        }
    }
}

fn update(update: wire::watch_response::Update) -> Update {
    let at = |epoch, seq| Position { epoch, seq: Seq(seq) };
    match update {
        wire::watch_response::Update::Snapshot(snapshot) => {
            Update::Snapshot(at(snapshot.epoch, snapshot.seq), entries(snapshot.entries))
        }
        wire::watch_response::Update::Delta(delta) => {
            let change =
                Change { changed: entries(delta.changed), removed: delta.removed.into_iter().collect() };
            Update::Delta(Seq(delta.from_seq), at(delta.epoch, delta.seq), change)
        }
        wire::watch_response::Update::Heartbeat(heartbeat) => {
            Update::Heartbeat(at(heartbeat.epoch, heartbeat.seq))
        }
    }
}

fn entries(entries: Vec<wire::Entry>) -> View<Json> {
    entries.into_iter().map(|entry| (entry.key, Json::from(entry.json))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::Mounted;
    use super::*;

    fn view(keys: &str) -> View<Json> {
        keys.chars().map(|key| (key.to_string(), Json::from("1"))).collect()
    }

    fn snapshot(seq: u64, keys: &str) -> wire::WatchResponse {
        let entries =
            keys.chars().map(|key| wire::Entry { key: key.to_string(), json: "1".to_owned() }).collect();
        let snapshot = wire::Snapshot { epoch: 7, seq, entries };
        wire::WatchResponse { update: Some(wire::watch_response::Update::Snapshot(snapshot)) }
    }

    fn follower(acceptance: Acceptance) -> Follower<Mounted> {
        let text = String::new;
        Follower {
            connection: Connection { address: text(), server_name: text(), topic: text(), seed: 1 },
            credentials: Mounted { token: PathBuf::new(), authority: PathBuf::new() },
            acceptance,
            began: Instant::now(),
            pauses: Pauses::new(1),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn most_of_a_view_is_taken_down_after_a_second_opinion_ten_seconds_later() {
        // given an agent that knows four entries
        let into = watch::Sender::new(Followed::default());
        let mut follower =
            follower(Acceptance::starting_from(Position { epoch: 7, seq: Seq(1) }, view("abcd")));
        follower.publish(&into, false);
        // when it is told of one alone, then it asks again ten seconds later
        let end = follower.take_in(snapshot(2, "a"), &into).expect("the connection ends");
        assert_eq!(follower.pause(end), Duration::from_secs(10));
        assert_eq!(*into.borrow().view, view("abcd"));
        // and when it is told the same then, it believes it
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(follower.take_in(snapshot(3, "a"), &into).is_none());
        assert_eq!(*into.borrow().view, view("a"));
    }
}
