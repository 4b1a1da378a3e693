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
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::server::TlsStream;

use super::Backend;
use super::answer::{Kubelet, Wire};
use crate::metrics::Counted;
use crate::{Authorizer, Reviewer, ServingTls};

/// Connections at a time, streams with them: each person that follows a log or is in a shell has one. With TLS and two
/// directions each takes some 150 KiB, so all take 40 MiB. Those beyond wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;
/// Time for the TLS handshake, and again for the head of each request, as in Liqo 0.8.3. It also ends idle connections.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of the head of a request: commands are in it. No path is longer than 64 KiB.
const LONGEST_HEAD: usize = 128 << 10;
/// Before the next try after the system refused a connection, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After the end was asked for, what is under way has so long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// A caller that has vanished without a word is noticed after a minute or so.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Serves the kubelet API until `shutdown` is ready.
pub async fn serve<R: Reviewer, B: Backend>(
    listener: TcpListener,
    tls: ServingTls,
    authorizer: Arc<Authorizer<R>>,
    backend: Arc<B>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let kubelet = Arc::new(Kubelet { authorizer, backend, started: Timestamp::now() });
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (ending, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, place)) => {
                    let kubelet = Arc::clone(&kubelet);
                    let connection = Connection { kubelet, ending: ended.clone(), _place: place };
                    connections.spawn(connection.run(stream, tls.acceptor().clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to the node was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    ending.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(GRACE, drained).await;
    connections.shutdown().await;
}

type Place = Option<OwnedSemaphorePermit>;

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    // The semaphore is never closed, so there is a place; without one the connection would only not be counted.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

/// A connection that was accepted, and its place among the others.
struct Connection<R, B> {
    kubelet: Arc<Kubelet<R, B>>,
    ending: watch::Receiver<bool>,
    _place: Place,
}

impl<R: Reviewer, B: Backend> Connection<R, B> {
    async fn run(mut self, stream: TcpStream, acceptor: TlsAcceptor) {
        let metrics = self.kubelet.authorizer.metrics().clone();
        let _counted = Counted::in_gauge(&metrics.connections);
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
            _ = self.ending.wait_for(|ending| *ending) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
