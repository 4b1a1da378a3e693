//! The watches of a process: whether they know everything, and lists on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use liqo_events::WatchKey;
use liqo_model::ResourceVersion;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::Trouble;

/// Lists that may be asked for before one begins. All of them are answered by the same list, so the bound is only
/// against a fault, and it is the size of a burst of commands.
pub(super) const MOST_WAITING: usize = 64;

/// What a watch is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WatchState {
    /// It has not begun.
    #[default]
    Starting,
    /// It compares everything.
    Listing,
    /// It knows everything and follows.
    Watching,
    /// It waits for the API server.
    Waiting(Trouble),
}

/// Why a list that was asked for was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotListed {
    /// No such watch runs.
    #[error("the watch does not run")]
    NoWatch,
    /// Some objects of the list could not be read, so it proves no absence.
    #[error("the list has objects that cannot be read")]
    Incomplete,
}

/// Asks for a list; answered with its version when it was handed over.
pub(super) type Request = oneshot::Sender<Result<ResourceVersion, NotListed>>;

/// Talks to a running watch.
#[derive(Clone, Debug)]
pub struct WatchHandle {
    pub(super) key: WatchKey,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) state: watch::Receiver<WatchState>,
}

impl WatchHandle {
    /// The name of the watch in the log.
    pub fn key(&self) -> &WatchKey {
        &self.key
    }

    /// What the watch is doing, now and from now on.
    pub fn state(&self) -> watch::Receiver<WatchState> {
        self.state.clone()
    }

    /// Waits until the watch knows everything.
    ///
    /// # Errors
    ///
    /// [`NotListed::NoWatch`] when it ends before that.
    pub async fn synced(&self) -> Result<(), NotListed> {
        let mut state = self.state.clone();
        let synced = state.wait_for(|state| *state == WatchState::Watching).await;
        synced.map(|_| ()).map_err(|_| NotListed::NoWatch)
    }

    /// Lists everything anew, answered by a quorum, and waits until that is handed over: what is absent then is gone.
    /// Waits as long as the API server cannot be reached, so the caller sets the limit.
    ///
    /// # Errors
    ///
    /// [`NotListed`].
    pub async fn relist(&self) -> Result<ResourceVersion, NotListed> {
        let (done, answer) = oneshot::channel();
        self.requests.send(done).await.map_err(|_| NotListed::NoWatch)?;
        answer.await.unwrap_or(Err(NotListed::NoWatch))
    }
}

/// The watches of a process, by their names in the log. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Watches(Arc<RwLock<BTreeMap<WatchKey, WatchHandle>>>);

impl Watches {
    /// Adds a watch, in place of an earlier one of the same name.
    pub fn insert(&self, handle: WatchHandle) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(handle.key.clone(), handle);
    }

    /// The watch of that name, or the one of the same kind in the same place: another version of this program may have
    /// selected differently.
    pub fn get(&self, key: &WatchKey) -> Option<WatchHandle> {
        let watches = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let alike = |other: &WatchKey| {
            other.cluster == key.cluster && other.kind == key.kind && other.reaches(key.namespace())
        };
        let other = || watches.iter().find(|(other, _)| alike(other)).map(|(_, handle)| handle);
        watches.get(key).or_else(other).cloned()
    }

    /// Whether a watch of that very name is there.
    pub fn has(&self, key: &WatchKey) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// All watches.
    pub fn all(&self) -> Vec<WatchHandle> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Forgets a watch.
    pub fn remove(&self, key: &WatchKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
