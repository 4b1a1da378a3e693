//! Carries connections of this machine to the process, and opens it on localhost.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::exec::Exec;
use crate::{Console, CtlError};

/// Connections at a time: each is an exec in the pod, and a console needs one or two.
const MOST_CONNECTIONS: usize = 8;

/// How a process is reached.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// By its socket on this machine.
    Socket(PathBuf),
    /// By a program in its pod.
    Exec(Arc<Exec>),
}

impl Way {
    /// Carries one connection until both ends are done with it.
    async fn carry<C: AsyncRead + AsyncWrite + Unpin>(&self, mut connection: C) -> Result<(), CtlError> {
        match self {
            Self::Socket(path) => {
                let refused = |source| CtlError::Connect { path: path.clone(), source };
                let mut socket = UnixStream::connect(path).await.map_err(refused)?;
                // How a connection ends is the matter of its two ends.
                let _ = copy_bidirectional(&mut connection, &mut socket).await;
                Ok(())
            }
            Self::Exec(exec) => exec.carry(connection).await,
        }
    }
}

/// Carries connections to a private socket until it is aborted, and says why one could not be.
pub(crate) async fn forward_unix(
    listener: UnixListener,
    way: Way,
    failures: watch::Sender<Option<Arc<CtlError>>>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut carried = JoinSet::new();
    while let (Ok(place), Ok((connection, _))) =
        (places.clone().acquire_owned().await, listener.accept().await)
    {
        let (way, failures) = (way.clone(), failures.clone());
        carried.spawn(async move {
            let _place = place;
            if let Err(error) = way.carry(connection).await {
                failures.send_replace(Some(Arc::new(error)));
            }
        });
        while carried.try_join_next().is_some() {}
    }
}

/// Opens the debug service on localhost until the user ends it.
pub(crate) async fn proxy(way: Way, port: u16, console: &mut Console) -> Result<(), CtlError> {
    let local = |source| CtlError::Local { doing: format!("listen on port {port} of localhost"), source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(local)?;
    let address = listener.local_addr().map_err(local)?;
    console.write(&format!(
        "The debug service is open to everybody on this machine at {address}, until Ctrl-C. For instance:\n  \
         grpcurl -plaintext {address} list\n"
    ))?;
    tokio::select! {
        ended = accept(&listener, &way) => ended.map_err(local),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(local),
    }
}

async fn accept(listener: &TcpListener, way: &Way) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut carried = JoinSet::new();
    loop {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (connection, _) = listener.accept().await?;
        let way = way.clone();
        carried.spawn(async move {
            let _place = place;
            if let Err(error) = way.carry(connection).await {
                eprintln!("liqoctl: {}", crate::report(&error));
            }
        });
        while carried.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_connection_is_carried_to_the_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.sock");
        let process = UnixListener::bind(&path).unwrap();
        let echo = tokio::spawn(async move {
            let (mut connection, _) = process.accept().await.unwrap();
            let (mut from, mut to) = connection.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let forwarding = tokio::spawn(async move { accept(&listener, &Way::Socket(path)).await });
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(b"hello").await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hello");
        echo.await.unwrap();
        forwarding.abort();
    }

    #[tokio::test]
    async fn a_way_that_is_closed_says_so() {
        let (near, _far) = tokio::io::duplex(8);
        let error = Way::Socket("/nowhere/debug.sock".into()).carry(near).await.unwrap_err();
        let line = "cannot connect to /nowhere/debug.sock: check that the process runs and that you are its user or root";
        assert_eq!(error.to_string(), line);
    }
}
