//! Connections of peers, with bounds in number, size and time: strangers can hold a place, but not for long.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::service::EXCHANGE_TIME;
use super::{AuthService, Provider, Transport};
use crate::Error;
use crate::metrics::Counted;

/// Connections at a time. Peers need one each while they enrol; with TLS and a body of the longest kind each takes some
/// 200 KiB, so all take 25 MiB. Those beyond wait in the system's queue.
pub(super) const MOST_CONNECTIONS: usize = 128;
/// Time for the TLS handshake, and again for the head of each request. It also ends idle connections.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of the head of a request. Those of Liqo 0.8.3 have 200.
const LONGEST_HEAD: usize = 16 * 1024;
/// Lines of it.
const MOST_HEADERS: usize = 64;
/// After this time a connection answers what it was asked and ends: Go clients keep theirs as long as they can.
const LIFE: Duration = Duration::from_secs(60);
/// Before the next try after the system refused a connection, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Listens; port 0 takes any.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`].
    pub async fn on(address: SocketAddr) -> Result<Self, Error> {
        let refused = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `stop` is ready; requests under way are answered.
pub async fn serve<P: Provider>(
    listening: Listening,
    transport: Transport,
    service: AuthService<P>,
    stop: impl Future<Output = ()> + Send,
) {
    let service = Arc::new(service);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (ending, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listening.listener, &places) => match accepted {
                Ok((stream, place)) => {
                    let connection = Connection {
                        service: Arc::clone(&service), ending: ended.clone(), _place: place,
                    };
                    connections.spawn(connection.run(stream, transport.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to the authentication service was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listening);
    ending.send_replace(true);
    while connections.join_next().await.is_some() {}
}

type Place = Option<OwnedSemaphorePermit>;

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    // The semaphore is never closed, so there is a place; without one the connection would only not be counted.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// A connection that was accepted, and its place among the others.
struct Connection<P> {
    service: Arc<AuthService<P>>,
    ending: watch::Receiver<bool>,
    _place: Place,
}

impl<P: Provider> Connection<P> {
    async fn run(self, stream: TcpStream, transport: Transport) {
        let metrics = self.service.metrics().clone();
        let _counted = Counted::in_gauge(&metrics.connections);
        match transport {
            Transport::Plain => self.talk(stream).await,
            Transport::Tls(acceptor) => match timeout(HEAD_TIME, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.talk(stream).await,
                Ok(Err(_)) | Err(_) => {
                    metrics.failed_handshakes.inc();
                }
            },
        }
    }

    async fn talk(mut self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = Arc::clone(&self.service);
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(service.answer(request).await.into_response()) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        tokio::select! {
            // What breaks a connection is the other end's affair.
            _ = connection.as_mut() => return,
            _ = self.ending.wait_for(|ending| *ending) => {}
            () = sleep(LIFE) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(EXCHANGE_TIME + HEAD_TIME, connection).await;
    }
}
