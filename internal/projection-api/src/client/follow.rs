//! Follows a topic: connects, listens, connects again.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use liqo_events::Seq;
use liqo_projections::view::{Change, View};
use liqo_proto::projection as wire;
use liqo_proto::projection::projection_client::ProjectionClient;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};

use super::{Acceptance, Position, Update, Verdict};
use crate::Json;
use crate::projection::{HEARTBEAT, MOST_BYTES};

/// First and longest pause before the next connection; by chance half of it at least. Thousands of agents that lost a
/// leader at one moment come back over ten seconds, which one process can take.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for a connection and for the first message.
const CONNECT: Duration = Duration::from_secs(10);
/// Three heartbeats that did not come: the connection is dead, whatever TCP says.
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());

/// Where an agent gets what it shows and checks. Asked for each connection, since both change while it runs.
pub trait Credentials: Send + Sync + 'static {
    /// A token of audience [`crate::AUDIENCE`].
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn token(&self) -> io::Result<String>;

    /// The certificate of the authority that the server's is checked with, PEM.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn authority(&self) -> io::Result<String>;
}

/// Credentials in files, as Kubernetes mounts them into a pod.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// File with the token.
    pub token: PathBuf,
    /// File with the authority's certificate.
    pub authority: PathBuf,
}

impl Credentials for Mounted {
    fn token(&self) -> io::Result<String> {
        Ok(fs::read_to_string(&self.token)?.trim().to_owned())
    }

    fn authority(&self) -> io::Result<String> {
        fs::read_to_string(&self.authority)
    }
}

/// What to follow, and where.
#[derive(Clone, Debug)]
pub struct Connection {
    /// `https://HOST:PORT`.
    pub address: String,
    /// The name in the server's certificate.
    pub server_name: String,
    /// The topic.
    pub topic: String,
    /// Seed of the chance in pauses; of each agent another one.
    pub seed: u64,
}

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

/// Why a connection ended.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Token or authority cannot be read.
    #[error("the agent's credentials cannot be read: check that its volumes are mounted")]
    Credentials {
        /// What the system said.
        source: io::Error,
    },
    /// Address or certificate make no sense.
    #[error("{address} cannot be connected to: check the address and the authority's certificate")]
    Endpoint {
        /// The address.
        address: String,
        /// What is wrong.
        source: tonic::transport::Error,
    },
    /// No connection.
    #[error("{address} does not answer: check that the control plane runs and that nothing blocks the way")]
    Connect {
        /// The address.
        address: String,
        /// What went wrong; nothing when it took too long.
        source: Option<tonic::transport::Error>,
    },
    /// The server ended the stream.
    #[error("the control plane said: {}", .0.message())]
    Ended(Status),
    /// Nothing came.
    #[error("the control plane said nothing for {} s", SILENCE.as_secs())]
    Silent,
    /// A message that cannot be.
    #[error("the control plane sent an empty message: it is of another version")]
    Empty,
    /// An old leader.
    #[error("the control plane that answers is not the one that leads")]
    Older,
    /// A message was lost.
    #[error("a change does not follow what is known")]
    Gap,
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
    let chance = ChaCha8Rng::seed_from_u64(connection.seed);
    let mut follower =
        Follower { connection, credentials, acceptance: start, began: Instant::now(), failures: 0, chance };
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
    failures: u32,
    chance: ChaCha8Rng,
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
        let address = self.connection.address.clone();
        let channel = timeout(CONNECT, self.channel())
            .await
            .map_err(|_| ClientError::Connect { address: address.clone(), source: None })??;
        let token = self.credentials.token().map_err(|source| ClientError::Credentials { source })?;
        let from = self.acceptance.resume_from().map(|at| wire::Position { epoch: at.epoch, seq: at.seq.0 });
        let mut request = Request::new(wire::WatchRequest { topic: self.connection.topic.clone(), from });
        // A token with characters that no header may have is none that a server would take.
        let header = format!("Bearer {token}").parse().map_err(|_| ClientError::Credentials {
            source: io::Error::new(io::ErrorKind::InvalidData, "the file holds no token"),
        })?;
        request.metadata_mut().insert("authorization", header);
        let mut client =
            ProjectionClient::new(channel).max_decoding_message_size(MOST_BYTES + MOST_BYTES / 4);
        let answer = timeout(CONNECT, client.watch(request)).await;
        let answer = answer.map_err(|_| ClientError::Connect { address, source: None })?;
        Ok(answer.map_err(ClientError::Ended)?.into_inner())
    }

    async fn channel(&self) -> Result<Channel, ClientError> {
        let address = || self.connection.address.clone();
        let authority = self.credentials.authority().map_err(|source| ClientError::Credentials { source })?;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(authority))
            .domain_name(self.connection.server_name.clone());
        let endpoint = Endpoint::from_shared(address()).and_then(|endpoint| endpoint.tls_config(tls));
        let endpoint = endpoint.map_err(|source| ClientError::Endpoint { address: address(), source })?;
        let connected = endpoint.tcp_nodelay(true).connect().await;
        connected.map_err(|source| ClientError::Connect { address: address(), source: Some(source) })
    }

    /// Takes a message in; the way the connection ends, if it does.
    fn take_in(&mut self, message: wire::WatchResponse, into: &watch::Sender<Followed>) -> Option<End> {
        let Some(update) = message.update.map(update) else { return Some(ClientError::Empty.into()) };
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.acceptance.offer(update, now) {
            Verdict::Applied | Verdict::Unchanged => {
                self.failures = 0;
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
        let error = match end {
            End::AskAgain(after) => {
                tracing::warn!(
                    topic = self.connection.topic,
                    "the control plane wants most of what it wanted before gone; it is asked again before that is done"
                );
                return after;
            }
            End::Failed(error) => error,
        };
        let longest =
            FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(LONGEST_PAUSE);
        // The first one is worth a look; those that follow say the same.
        if self.failures == 0 {
            tracing::warn!(topic = self.connection.topic, %error, "the stream of the control plane ended");
        } else {
            tracing::debug!(topic = self.connection.topic, %error, "no stream of the control plane");
        }
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(self.chance.random_range(0.5..1.0))
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
            failures: 0,
            chance: ChaCha8Rng::seed_from_u64(1),
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

    #[test]
    fn pauses_grow_to_ten_seconds_and_differ() {
        let mut follower = follower(Acceptance::default());
        let pauses: Vec<Duration> = (0..40).map(|_| follower.pause(ClientError::Gap.into())).collect();
        assert!(pauses[0] <= FIRST_PAUSE && pauses[0] >= FIRST_PAUSE / 2, "{pauses:?}");
        assert!(
            pauses[10..].iter().all(|pause| *pause <= LONGEST_PAUSE && *pause >= LONGEST_PAUSE / 2),
            "{pauses:?}"
        );
        assert_ne!(pauses[20], pauses[21]);
    }
}
