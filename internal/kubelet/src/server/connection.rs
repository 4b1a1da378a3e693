//! Connections to the node, with bounds in number, size and time: strangers can hold a place, but not for long.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use liqo_listening::{Bounds, Counted, Ending, Listening};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::server::TlsStream;

use super::Backend;
use super::answer::{Kubelet, Wire};
use crate::{Authorizer, Reviewer, ServingTls};

/// Connections at a time, streams with them: each person that follows a log or is in a shell has one. With TLS and two
/// directions each takes some 150 KiB, so all take 40 MiB. Those beyond wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;
/// Time for the TLS handshake, and again for the head of each request, as in Liqo 0.8.3. It also ends idle connections.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of the head of a request: commands are in it. No path is longer than 64 KiB.
const LONGEST_HEAD: usize = 128 << 10;
/// After the end was asked for, what is under way has so long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// A caller that has vanished without a word is noticed after a minute or so.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Serves the kubelet API until `shutdown` is ready.
pub async fn serve<R: Reviewer, B: Backend>(
    listening: Listening,
    tls: ServingTls,
    authorizer: Arc<Authorizer<R>>,
    backend: Arc<B>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let open = authorizer.metrics().connections.clone();
    let kubelet = Arc::new(Kubelet { authorizer, backend, started: Timestamp::now() });
    let connection = move |stream: TcpStream, ending: Ending| {
        let connection = Connection { kubelet: Arc::clone(&kubelet), ending };
        let acceptor = tls.acceptor().clone();
        async move {
            // A stream that cannot be watched over is one whose caller has gone already.
            if watch_over(&stream).is_ok() {
                connection.run(stream, acceptor).await;
            }
        }
    };
    let bounds = Bounds { most: MOST_CONNECTIONS, open, grace: Some(GRACE) };
    listening.serve(bounds, connection, shutdown).await;
}

fn watch_over(stream: &TcpStream) -> io::Result<()> {
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    SockRef::from(stream).set_tcp_keepalive(&probes)?;
    stream.set_nodelay(true)
}

/// A connection that was accepted.
struct Connection<R, B> {
    kubelet: Arc<Kubelet<R, B>>,
    ending: Ending,
}

impl<R: Reviewer, B: Backend> Connection<R, B> {
    async fn run(mut self, stream: TcpStream, acceptor: TlsAcceptor) {
        let metrics = self.kubelet.authorizer.metrics().clone();
        let Ok(Ok(stream)) = timeout(HEAD_TIME, acceptor.accept(stream)).await else {
            metrics.failed_handshakes.inc();
            return;
        };
        let certificates = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
        let certificates = certificates.into_iter().map(CertificateDer::into_owned).collect();
        let wire = Arc::new(Wire { certificates, ..Wire::default() });
        self.talk(stream, &wire).await;
        let relay = wire.relay.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(relay) = relay {
            let _counted = Counted::in_gauge(&metrics.streams);
            relay.run().await;
        }
    }

    async fn talk(&mut self, stream: TlsStream<TcpStream>, wire: &Arc<Wire>) {
        let answer = service_fn(|request| {
            let (kubelet, wire) = (Arc::clone(&self.kubelet), Arc::clone(wire));
            async move { Ok::<_, Infallible>(kubelet.answer(request, &wire).await) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(LONGEST_HEAD);
        let connection = builder.serve_connection(TokioIo::new(stream), answer).with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            // What breaks a connection is the other end's affair.
            _ = connection.as_mut() => return,
            () = self.ending.told() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
