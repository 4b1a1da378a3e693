//! Connections with bounds in number and time, so that nobody in the cluster can keep probes from being answered.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use liqo_listening::{Listening, Place, Places};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Connections at a time: a kubelet, two Prometheus servers and a person need four.
const MOST_CONNECTIONS: usize = 64;
/// Nothing is read from a connection after this time. It is longer than a scrape may take, and short enough that idle
/// connections give their places back before a probe fails three times.
const LIFE: Duration = Duration::from_secs(20);

/// A listener that accepts no more than its places allow.
#[derive(Debug)]
pub(crate) struct Bounded {
    listening: Listening,
    places: Places,
}

impl Bounded {
    pub(crate) fn new(listening: Listening) -> Self {
        Self { listening, places: Places::new(MOST_CONNECTIONS) }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = self.places.take().await;
        let (stream, address) = self.listening.accept().await;
        (Connection { stream, end: Box::pin(sleep(LIFE)), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.listening.address())
    }
}

/// A connection that ends in time.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Place,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(context).is_ready() {
            // The end of the input: what is being answered is still written.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
