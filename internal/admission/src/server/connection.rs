//! Connections of API servers, with bounds in number, size and time. The port is open to the whole cluster, so whoever runs
//! a pod can hold places; certificates of clients are not asked for, since API servers have none by default.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Service;
use crate::Error;
use crate::certificates::Serving;
use crate::metrics::Counted;
use crate::port::Verdicts;

/// Connections at a time. An API server keeps 25 idle ones, and opens one a question that is open. With the longest bodies
/// each holds 3 MiB, which only somebody hostile does, idle ones 50 KiB. Those beyond wait in the system's queue.
const MOST_CONNECTIONS: usize = 192;
/// Time for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Time for the head of a request. It also ends idle connections, and is longer than the 90 s after which API servers do so
/// themselves: one that is closed here while a question is on its way is a pod that could not be made.
const IDLE_TIME: Duration = Duration::from_secs(120);
/// Time for what is under way when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Bytes of the head of a request. Those of API servers have 300.
const LONGEST_HEAD: usize = 16 * 1024;
/// Lines of it.
const MOST_HEADERS: usize = 64;
/// Before the next try after the system refused a connection, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Listens; port 0 takes any.
    pub(crate) async fn on(address: SocketAddr) -> Result<Self, Error> {
        let refused = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `stopping` is true; questions under way are answered. New connections get the certificate of the moment.
pub(crate) async fn serve<V: Verdicts>(
    listening: Listening,
    serving: watch::Receiver<Serving>,
    service: Service<V>,
    stopping: watch::Receiver<bool>,
) {
    let service = Arc::new(service);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stop = pin!(told(stopping.clone()));
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listening.listener, &places) => match accepted {
                Ok((stream, place)) => {
                    let Some(config) = serving.borrow().config() else { continue };
                    let connection =
                        Connection { service: Arc::clone(&service), ending: stopping.clone(), _place: place };
                    connections.spawn(connection.run(stream, TlsAcceptor::from(config)));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to the webhooks was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listening);
    while connections.join_next().await.is_some() {}
}

/// Ready when the process is to end. Who tells nothing any more has ended.
async fn told(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

type Place = Option<OwnedSemaphorePermit>;

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    // The semaphore is never closed, so there is a place; without one the connection would only not be counted.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// A connection that was accepted, and its place among the others.
struct Connection<V> {
    service: Arc<Service<V>>,
    ending: watch::Receiver<bool>,
    _place: Place,
}

impl<V: Verdicts> Connection<V> {
    async fn run(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let metrics = self.service.metrics().clone();
        let _counted = Counted::in_gauge(&metrics.connections);
        match timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream).await,
            Ok(Err(_)) | Err(_) => {
                metrics.failed_handshakes.inc();
            }
        }
    }

    async fn talk(self, stream: TlsStream<TcpStream>) {
        let service = Arc::clone(&self.service);
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(service.answer(request).await) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_TIME)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        tokio::select! {
            // What breaks a connection is the other end's affair.
            _ = connection.as_mut() => return,
            () = told(self.ending) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_WORDS, connection).await;
    }
}
