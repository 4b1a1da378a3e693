//! Connections to the control plane: what they need, how they are made, and how long to wait before the next one.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use liqo_proto::projection::projection_client::ProjectionClient;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::projection::{HEARTBEAT, MOST_BYTES};

/// First and longest pause before the next connection; by chance half of it at least. Thousands of agents that lost a
/// leader at one moment come back over ten seconds, which one process can take.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(200);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for an answer to SYN, of which the second is sent after a second. A pod that is gone never answers, and the
/// one in its place is reached by the next connection.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// Longest wait for a connection that works and for the first message.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// Three heartbeats that did not come: the connection is dead, whatever TCP says.
pub(super) const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());

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

/// A connection, and what each call on it shows.
pub(super) struct Dialled {
    pub(super) client: ProjectionClient<Channel>,
    authorization: MetadataValue<Ascii>,
}

impl Dialled {
    /// A call with the token.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

/// Connects with the credentials as they are now.
pub(super) async fn dial<C: Credentials>(
    connection: &Connection,
    credentials: &C,
) -> Result<Dialled, ClientError> {
    let address = || connection.address.clone();
    let channel = timeout(CONNECT, channel(connection, credentials))
        .await
        .map_err(|_| ClientError::Connect { address: address(), source: None })??;
    let token = credentials.token().map_err(|source| ClientError::Credentials { source })?;
    // A token with characters that no header may have is none that a server would take.
    let authorization = format!("Bearer {token}").parse().map_err(|_| ClientError::Credentials {
        source: io::Error::new(io::ErrorKind::InvalidData, "the file holds no token"),
    })?;
    let client = ProjectionClient::new(channel).max_decoding_message_size(MOST_BYTES + MOST_BYTES / 4);
    Ok(Dialled { client, authorization })
}

async fn channel<C: Credentials>(connection: &Connection, credentials: &C) -> Result<Channel, ClientError> {
    let address = || connection.address.clone();
    let authority = credentials.authority().map_err(|source| ClientError::Credentials { source })?;
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority))
        .domain_name(connection.server_name.clone());
    let endpoint = Endpoint::from_shared(address()).and_then(|endpoint| endpoint.tls_config(tls));
    let endpoint = endpoint.map_err(|source| ClientError::Endpoint { address: address(), source })?;
    // Who only sends learns by this alone that nobody listens any more.
    let endpoint = endpoint.http2_keep_alive_interval(HEARTBEAT).keep_alive_timeout(SILENCE);
    let connected = endpoint.tcp_nodelay(true).connect_timeout(HANDSHAKE).connect().await;
    connected.map_err(|source| ClientError::Connect { address: address(), source: Some(source) })
}

/// Pauses between connections.
pub(super) struct Pauses {
    failures: u32,
    chance: ChaCha8Rng,
}

impl Pauses {
    pub(super) fn new(seed: u64) -> Self {
        Self { failures: 0, chance: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A connection worked.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after a connection failed. Logs why.
    pub(super) fn after(&mut self, what: &str, error: &ClientError) -> Duration {
        let longest =
            FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(LONGEST_PAUSE);
        // The first one is worth a look; those that follow say the same.
        if self.failures == 0 {
            tracing::warn!(topic = what, %error, "the stream of the control plane ended");
        } else {
            tracing::debug!(topic = what, %error, "no stream of the control plane");
        }
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(self.chance.random_range(0.5..1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_ten_seconds_and_differ() {
        let mut pauses = Pauses::new(1);
        let pauses: Vec<Duration> = (0..40).map(|_| pauses.after("x", &ClientError::Gap)).collect();
        assert!(pauses[0] <= FIRST_PAUSE && pauses[0] >= FIRST_PAUSE / 2, "{pauses:?}");
        assert!(
            pauses[10..].iter().all(|pause| *pause <= LONGEST_PAUSE && *pause >= LONGEST_PAUSE / 2),
            "{pauses:?}"
        );
        assert_ne!(pauses[20], pauses[21]);
    }
}
