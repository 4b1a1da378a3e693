//! Ports: taken, listened on, accepted from.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// Connections that wait to be accepted, as many as a listener of the runtime has by itself.
const BACKLOG: u32 = 1024;
/// Before the next try after the system refused a connection, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Nobody can be listened to.
#[derive(Debug, Error)]
#[error(
    "cannot listen on {address}: check that nothing else does and that this process may, or give it another address"
)]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// A port that is taken and not listened on yet: callers are refused at once, and nobody else can have it. A process takes
/// all of its ports before it claims to be ready for anything.
#[derive(Debug)]
pub struct Socket {
    socket: TcpSocket,
    address: SocketAddr,
    served: watch::Sender<bool>,
}

impl Socket {
    /// Takes a port; port 0 takes any.
    ///
    /// # Errors
    ///
    /// [`ListenError`].
    pub fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let refused = |source| ListenError { address, source };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(refused)?;
        // Connections of the process before this one, which linger, are no reason to wait.
        socket.set_reuseaddr(true).map_err(refused)?;
        socket.bind(address).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        Ok(Self { socket, address, served: watch::Sender::new(false) })
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Becomes true when [`Listening::serve`] begins, and closes when it ends.
    #[must_use]
    pub fn served(&self) -> watch::Receiver<bool> {
        self.served.subscribe()
    }

    /// Listens. Has to be called in a runtime.
    ///
    /// # Errors
    ///
    /// [`ListenError`], when somebody else had taken the port in the same moment.
    pub fn listen(self) -> Result<Listening, ListenError> {
        let Self { socket, address, served } = self;
        let listener = socket.listen(BACKLOG).map_err(|source| ListenError { address, source })?;
        Ok(Listening { listener, address, served })
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    pub(crate) served: watch::Sender<bool>,
}

impl Listening {
    /// Listens at once; port 0 takes any.
    ///
    /// # Errors
    ///
    /// [`ListenError`].
    pub async fn on(address: SocketAddr) -> Result<Self, ListenError> {
        let refused = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, served: watch::Sender::new(false) })
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, and whose it is. What the system refuses is tried again after a pause.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::debug!(address = %self.address, %error, "a connection was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

    #[tokio::test]
    async fn any_port_is_a_port() {
        let (first, second) = (Socket::bind(ANY.into()).unwrap(), Listening::on(ANY.into()).await.unwrap());
        assert_ne!(first.address().port(), 0);
        assert_ne!(second.address().port(), 0);
        assert_ne!(first.address(), second.address());
    }

    #[tokio::test]
    async fn a_port_that_is_only_taken_refuses_callers_and_one_that_listens_does_not() {
        let socket = Socket::bind(ANY.into()).unwrap();
        let address = socket.address();
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let listening = socket.listen().unwrap();
        assert_eq!(listening.address(), address);
        let caller = TcpStream::connect(address).await.unwrap();
        let (_, from) = listening.accept().await;
        assert_eq!(from, caller.local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_port_of_somebody_else_is_an_error_that_names_it() {
        let taken = Listening::on(ANY.into()).await.unwrap();
        let address = taken.address();
        let errors = [Socket::bind(address).unwrap_err(), Listening::on(address).await.unwrap_err()];
        for error in errors {
            assert_eq!(error.address, address);
            assert!(error.to_string().starts_with(&format!("cannot listen on {address}: check")), "{error}");
        }
    }
}
