//! The loop that every server is: accept, serve each connection in its own task, and end well.

use std::pin::pin;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{Counted, Listening, Places};

/// What bounds the connections of a server.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections at a time. Those beyond wait in the system's queue.
    pub most: usize,
    /// Shows how many are open.
    pub open: Gauge,
    /// How long those under way may go on after the end, then they are broken off; without it until they end by themselves.
    pub grace: Option<Duration>,
}

/// Tells a connection that the server ends.
#[derive(Clone, Debug)]
pub struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Ready when the server ends: what was asked is still answered, and nothing else.
    pub async fn told(&mut self) {
        // A server that is gone says the same.
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}

impl Listening {
    /// Serves each connection with a future of its own until `stop` is ready; then nobody is listened to any more, and
    /// those under way are waited for.
    pub async fn serve<F>(
        self,
        bounds: Bounds,
        mut connection: impl FnMut(TcpStream, Ending) -> F + Send,
        stop: impl Future<Output = ()> + Send,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let places = Places::new(bounds.most);
        let ending = watch::Sender::new(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        self.served.send_replace(true);
        loop {
            let next = async {
                let place = places.take().await;
                (self.accept().await, place)
            };
            tokio::select! {
                () = &mut stop => break,
                // Those that ended are taken out, so that the set does not grow.
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                ((stream, _), place) = next => {
                    let served = connection(stream, Ending(ending.subscribe()));
                    let counted = Counted::in_gauge(&bounds.open);
                    connections.spawn(async move {
                        served.await;
                        drop((counted, place));
                    });
                }
            }
        }
        drop(self);
        ending.send_replace(true);
        end(connections, bounds.grace).await;
    }
}

async fn end(mut connections: JoinSet<()>, grace: Option<Duration>) {
    let ended = async { while connections.join_next().await.is_some() {} };
    match grace {
        None => ended.await,
        Some(grace) => {
            let _ = timeout(grace, ended).await;
            connections.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::{JoinHandle, yield_now};
    use tokio::time::Instant;

    use super::*;
    use crate::Socket;

    /// A server that sends a byte to whoever has a place, and then waits for one.
    struct Running {
        address: SocketAddr,
        open: Gauge,
        served: watch::Receiver<bool>,
        stop: oneshot::Sender<()>,
        server: JoinHandle<()>,
    }

    const GRACE: Duration = Duration::from_secs(5);

    fn start(most: usize, grace: Option<Duration>, heeds_the_end: bool) -> Running {
        let socket = Socket::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (address, served, open) = (socket.address(), socket.served(), Gauge::default());
        let (stop, stopped) = oneshot::channel();
        let bounds = Bounds { most, open: open.clone(), grace };
        let greet = move |mut stream: TcpStream, mut ending: Ending| async move {
            if stream.write_u8(b'!').await.is_err() {
                return;
            }
            tokio::select! {
                _ = stream.read_u8() => {}
                () = ending.told(), if heeds_the_end => {}
            }
        };
        let listening = socket.listen().unwrap();
        let server = tokio::spawn(listening.serve(bounds, greet, async { drop(stopped.await) }));
        Running { address, open, served, stop, server }
    }

    async fn greeted(address: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address).await?;
        stream.read_u8().await?;
        Ok(stream)
    }

    #[tokio::test]
    async fn no_more_are_served_at_a_time_than_there_are_places() {
        let running = start(2, None, true);
        let first = greeted(running.address).await.unwrap();
        let _second = greeted(running.address).await.unwrap();
        let third = tokio::spawn(greeted(running.address));
        for _ in 0..100 {
            yield_now().await;
            assert!(!third.is_finished());
        }
        assert_eq!(running.open.get(), 2);
        drop(first);
        let _third = third.await.unwrap().unwrap();
        assert_eq!(running.open.get(), 2);
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_under_way_and_accepts_nothing_new() {
        let mut running = start(2, None, false);
        let mut stream = greeted(running.address).await.unwrap();
        running.served.wait_for(|served| *served).await.unwrap();
        running.stop.send(()).unwrap();
        running.served.changed().await.unwrap_err();
        assert!(TcpStream::connect(running.address).await.is_err());
        assert!(!running.server.is_finished());
        stream.write_u8(b'.').await.unwrap();
        running.server.await.unwrap();
        assert_eq!(running.open.get(), 0);
    }

    #[tokio::test]
    async fn connections_are_told_of_the_end() {
        let running = start(2, None, true);
        let mut stream = greeted(running.address).await.unwrap();
        running.stop.send(()).unwrap();
        running.server.await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_grace_what_is_under_way_is_broken_off() {
        let running = start(2, Some(GRACE), false);
        let _stream = greeted(running.address).await.unwrap();
        let begun = Instant::now();
        running.stop.send(()).unwrap();
        running.server.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), GRACE.as_secs());
        assert_eq!(running.open.get(), 0);
    }

    #[tokio::test]
    async fn it_is_known_from_when_to_when_it_is_served() {
        let mut running = start(1, None, true);
        running.served.wait_for(|served| *served).await.unwrap();
        running.stop.send(()).unwrap();
        running.server.await.unwrap();
        assert!(running.served.changed().await.is_err());
        // What was bound and never served says so as well.
        let socket = Socket::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let mut served = socket.served();
        drop(socket);
        assert!(served.wait_for(|served| *served).await.is_err());
    }
}
