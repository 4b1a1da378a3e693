//! The server: TCP and TLS, with a certificate that may change while it runs.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use liqo_listening::{ListenError, Listening, Places};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use super::stream::STREAM_LIFE;
use super::{ProjectionService, TokenReviewer};
use crate::ProjectionSource;
use crate::incoming::Placed;

/// Connections at a time: as many as streams, since an agent has one of each.
const MOST_CONNECTIONS: usize = 6000;
/// Calls of one connection at a time: an agent needs one a topic.
const MOST_CALLS: u32 = 16;
/// A connection whose other end says nothing for this long is asked, and closed when it does not answer in time.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);

/// A certificate with its key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsPem {
    /// The certificate and those between it and the authority, PEM.
    pub certificates: String,
    /// The private key, PEM.
    pub key: String,
}

/// Never shows the key.
impl fmt::Debug for TlsPem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TlsPem").field("certificates", &self.certificates).finish_non_exhaustive()
    }
}

/// Why the server does not run.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The port was taken and cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate or its key cannot be used.
    #[error(
        "the certificate of the projection stream cannot be used: check that it is PEM and that the key is its own"
    )]
    Certificate {
        /// What is wrong.
        source: tonic::transport::Error,
    },
    /// The server broke.
    #[error("the projection stream's server failed")]
    Serve {
        /// What went wrong.
        source: tonic::transport::Error,
    },
}

/// Serves until the service is told to stop. A new certificate is used for new connections; those that are open stay.
///
/// # Errors
///
/// [`ServeError::Certificate`] for the first certificate; a later one that cannot be used is logged, and the one before
/// stays in use. [`ServeError::Serve`].
pub async fn serve<S: ProjectionSource, R: TokenReviewer>(
    listening: Listening,
    mut tls: watch::Receiver<TlsPem>,
    service: ProjectionService<S, R>,
) -> Result<(), ServeError> {
    let (listening, service) = (Arc::new(listening), Arc::new(service));
    let mut stopping = service.stopping();
    let places = Places::new(MOST_CONNECTIONS);
    let mut servers = JoinSet::new();
    let mut config = checked(&tls.borrow_and_update())?;
    loop {
        let renewed = watch::Sender::new(false);
        let incoming = incoming(listening.clone(), places.clone(), ended(&renewed, service.stopping()));
        let server = builder(config)?.add_service(service.clone().into_server());
        let until = ended(&renewed, service.stopping());
        servers.spawn(server.serve_with_incoming_shutdown(incoming, until));
        config = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(ended) = servers.join_next() => {
                ended.map_or(Ok(()), |result| result.map_err(|source| ServeError::Serve { source }))?;
                return Ok(());
            }
            next = next_certificate(&mut tls) => next,
        };
        renewed.send_replace(true);
    }
    // Streams end by themselves when the service stops; connections without one are told to go.
    while servers.join_next().await.is_some() {}
    Ok(())
}

/// Waits for a certificate that can be used, for ever if there is no other.
async fn next_certificate(tls: &mut watch::Receiver<TlsPem>) -> ServerTlsConfig {
    while tls.changed().await.is_ok() {
        match checked(&tls.borrow_and_update()) {
            Ok(config) => return config,
            Err(error) => tracing::warn!(%error, "the certificate before stays in use"),
        }
    }
    std::future::pending().await
}

fn checked(pem: &TlsPem) -> Result<ServerTlsConfig, ServeError> {
    let config = ServerTlsConfig::new().identity(Identity::from_pem(&pem.certificates, &pem.key));
    builder(config.clone())?;
    Ok(config)
}

fn builder(tls: ServerTlsConfig) -> Result<Server, ServeError> {
    let builder = Server::builder()
        .max_concurrent_streams(MOST_CALLS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_ANSWER))
        .max_connection_age(2 * STREAM_LIFE)
        .tcp_nodelay(true);
    builder.tls_config(tls).map_err(|source| ServeError::Certificate { source })
}

/// Until this certificate or the whole service ends.
fn ended(
    renewed: &watch::Sender<bool>,
    mut stopping: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let mut renewed = renewed.subscribe();
    async move {
        tokio::select! {
            _ = renewed.wait_for(|renewed| *renewed) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// Connections as they come, as long as there are places and until the end.
fn incoming(
    listening: Arc<Listening>,
    places: Places,
    end: impl Future<Output = ()> + Send,
) -> impl Stream<Item = io::Result<Placed<TcpStream>>> {
    let accept = move |()| {
        let (listening, places) = (listening.clone(), places.clone());
        async move {
            let place = places.take().await;
            let (connection, _) = listening.accept().await;
            Some((Ok(Placed::new(connection, place)), ()))
        }
    };
    futures::StreamExt::take_until(unfold((), accept), Box::pin(end))
}
