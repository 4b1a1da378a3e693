//! One command at a time changes the machine.

use std::fs::{File, OpenOptions};

use rustix::fs::{FlockOperation, flock};

use super::remains;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::progress::Progress;

/// Held for as long as it lives; the kernel releases it also when the holder is killed.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for another command if need be.
    ///
    /// # Errors
    /// [`Error::File`].
    pub(crate) async fn take(layout: &Layout, progress: &Progress) -> Result<Self> {
        let path = layout.lock();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::file("open the lock", &path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Self::held(layout, file).await;
        }
        progress.say("testbed", "waiting for another testbed command to end");
        let locked =
            tokio::task::spawn_blocking(move || flock(&file, FlockOperation::LockExclusive).map(|()| file));
        match locked.await {
            Ok(Ok(file)) => Self::held(layout, file).await,
            Ok(Err(error)) => Err(Error::file("lock", &path)(error.into())),
            Err(error) => Err(Error::file("lock", &path)(std::io::Error::other(error))),
        }
    }

    /// What an earlier holder had called and left when it was killed would work on beside the new one.
    async fn held(layout: &Layout, file: File) -> Result<Self> {
        crate::preflight::ours(layout)?;
        remains::end_orphans().await?;
        Ok(Self { _file: file })
    }
}
