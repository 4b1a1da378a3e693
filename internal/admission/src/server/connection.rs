//! Connections of API servers, with bounds in number, size and time. The port is open to the whole cluster, so whoever runs
//! a pod can hold places; certificates of clients are not asked for, since API servers have none by default.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use liqo_listening::{Bounds, Ending, Listening};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Service;
use crate::certificates::Serving;
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

/// Serves until `stopping` is true; questions under way are answered. New connections get the certificate of the moment.
pub(crate) async fn serve<V: Verdicts>(
    listening: Listening,
    serving: watch::Receiver<Serving>,
    service: Service<V>,
    stopping: watch::Receiver<bool>,
) {
    let open = service.metrics().connections.clone();
    let service = Arc::new(service);
    let connection = move |stream: TcpStream, ending: Ending| {
        let acceptor = serving.borrow().config().map(TlsAcceptor::from);
        let connection = Connection { service: Arc::clone(&service), ending };
        async move {
            if let Some(acceptor) = acceptor {
                connection.run(stream, acceptor).await;
            }
        }
    };
    let bounds = Bounds { most: MOST_CONNECTIONS, open, grace: None };
    listening.serve(bounds, connection, told(stopping)).await;
}

/// Ready when the process is to end. Who tells nothing any more has ended.
async fn told(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A connection that was accepted.
struct Connection<V> {
    service: Arc<Service<V>>,
    ending: Ending,
}

impl<V: Verdicts> Connection<V> {
    async fn run(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let metrics = self.service.metrics().clone();
        match timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream).await,
            Ok(Err(_)) | Err(_) => {
                metrics.failed_handshakes.inc();
            }
        }
    }

    async fn talk(mut self, stream: TlsStream<TcpStream>) {
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
            () = self.ending.told() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_WORDS, connection).await;
    }
}
