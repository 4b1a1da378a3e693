//! Connections of peers, with bounds in number, size and time: strangers can hold a place, but not for long.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
pub use liqo_listening::Listening;
use liqo_listening::{Bounds, Ending};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::service::EXCHANGE_TIME;
use super::{AuthService, Provider, Transport};

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

/// Serves until `stop` is ready; requests under way are answered.
pub async fn serve<P: Provider>(
    listening: Listening,
    transport: Transport,
    service: AuthService<P>,
    stop: impl Future<Output = ()> + Send,
) {
    let open = service.metrics().connections.clone();
    let service = Arc::new(service);
    let connection = move |stream: TcpStream, ending: Ending| {
        Connection { service: Arc::clone(&service), ending }.run(stream, transport.clone())
    };
    listening.serve(Bounds { most: MOST_CONNECTIONS, open, grace: None }, connection, stop).await;
}

/// A connection that was accepted.
struct Connection<P> {
    service: Arc<AuthService<P>>,
    ending: Ending,
}

impl<P: Provider> Connection<P> {
    async fn run(self, stream: TcpStream, transport: Transport) {
        let metrics = self.service.metrics().clone();
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
            () = self.ending.told() => {}
            () = sleep(LIFE) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(EXCHANGE_TIME + HEAD_TIME, connection).await;
    }
}
