//! The unix socket: nobody but the user of the process and root gets in.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// Connections that wait to be accepted. A person uses one or two.
const BACKLOG: u32 = 16;

/// Why there is no debug socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// Another process answers there.
    #[error("another process serves the debug socket {}: give each process a path of its own", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// It cannot be made.
    #[error("the debug socket {} cannot be made: check that its directory exists and is writable", path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server broke.
    #[error("the debug service failed")]
    Serve {
        /// What went wrong.
        source: tonic::transport::Error,
    },
    /// The descriptors of the service cannot be read.
    #[error("the debug service cannot describe itself")]
    Describe {
        /// What is wrong.
        source: tonic_reflection::server::Error,
    },
}

/// Whether a user may look into a process: root, and the user that it runs as.
pub fn may_connect(peer_uid: u32, own_uid: u32) -> bool {
    peer_uid == own_uid || peer_uid == 0
}

/// A socket that listens. Its file is removed with it.
#[derive(Debug)]
pub struct DebugSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl DebugSocket {
    /// Makes the socket, with mode 0600 before it listens. One that a process before left behind is replaced.
    ///
    /// # Errors
    ///
    /// [`SocketError::InUse`], [`SocketError::Bind`].
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let refused = |source| SocketError::Bind { path: path.to_owned(), source };
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            if UnixStream::connect(path).await.is_ok() {
                return Err(SocketError::InUse { path: path.to_owned() });
            }
            fs::remove_file(path).map_err(refused)?;
        }
        let socket = UnixSocket::new_stream().map_err(refused)?;
        socket.bind(path).map_err(refused)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(refused)?;
        let listener = socket.listen(BACKLOG).map_err(refused)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// The next connection, and whether its user may have it.
    pub(super) async fn accept(&self) -> io::Result<(UnixStream, bool)> {
        let (connection, _) = self.listener.accept().await?;
        let peer = connection.peer_cred()?.uid();
        Ok((connection, may_connect(peer, rustix::process::geteuid().as_raw())))
    }
}

impl Drop for DebugSocket {
    fn drop(&mut self) {
        // If it stays, the next process replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_user_and_root_get_in() {
        assert!(may_connect(1000, 1000));
        assert!(may_connect(0, 1000));
        assert!(may_connect(0, 0));
        assert!(!may_connect(1001, 1000));
        assert!(!may_connect(1000, 0));
        assert!(!may_connect(u32::MAX, 0));
    }

    #[tokio::test]
    async fn the_socket_is_private_and_a_stale_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.sock");
        // given what a killed process leaves behind
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        // when the next one starts
        let socket = DebugSocket::bind(&path).await.unwrap();
        // then it listens for its user alone, and no second one takes its place
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(DebugSocket::bind(&path).await, Err(SocketError::InUse { .. })));
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        fs::write(&path, "keep").unwrap();
        assert!(matches!(DebugSocket::bind(&path).await, Err(SocketError::Bind { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "keep");
    }
}
