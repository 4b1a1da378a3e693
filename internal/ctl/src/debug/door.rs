//! A unix socket that leads to the process, wherever it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::arguments::Place;
use super::exec::Exec;
use super::forward::{Way, forward_unix};
use crate::CtlError;

/// How long the way there may take to say why it broke.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The way that the command line says.
pub(crate) async fn way(place: &Place) -> Result<Way, CtlError> {
    match &place.socket {
        Some(path) => Ok(Way::Socket(path.clone())),
        None => Ok(Way::Exec(Arc::new(Exec::find(place).await?))),
    }
}

/// A socket to connect to, as long as this is held.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    behind: Option<Behind>,
}

#[derive(Debug)]
struct Behind {
    forwarding: JoinHandle<()>,
    failure: watch::Receiver<Option<Arc<CtlError>>>,
    /// Only this user can enter it.
    _directory: TempDir,
}

impl Door {
    /// The socket itself; towards a pod, one in a private directory whose connections go through `pods/exec`.
    pub(crate) async fn open(way: Way) -> Result<Self, CtlError> {
        let way = match way {
            Way::Socket(path) => return Self::direct(path).await,
            Way::Exec(exec) => Way::Exec(exec),
        };
        let local = |source| CtlError::Local { doing: "make a private socket".to_owned(), source };
        let directory = tempfile::tempdir().map_err(local)?;
        let path = directory.path().join("debug.sock");
        let listener = UnixListener::bind(&path).map_err(local)?;
        let (failures, failure) = watch::channel(None);
        let forwarding = tokio::spawn(forward_unix(listener, way, failures));
        Ok(Self { path, behind: Some(Behind { forwarding, failure, _directory: directory }) })
    }

    async fn direct(path: PathBuf) -> Result<Self, CtlError> {
        // Asked for here, because the system's own words say more than those of a channel.
        let tried = tokio::net::UnixStream::connect(&path).await;
        tried.map_err(|source| CtlError::Connect { path: path.clone(), source })?;
        Ok(Self { path, behind: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why the way there broke, if it did.
    pub(crate) async fn failure(mut self) -> Option<CtlError> {
        let behind = self.behind.as_mut()?;
        let failed = behind.failure.wait_for(Option::is_some);
        let failure = timeout(LAST_WORDS, failed).await.ok()?.ok()?.clone()?;
        Some(CtlError::Pod(crate::report(&failure)))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(behind) = &self.behind {
            behind.forwarding.abort();
        }
    }
}
