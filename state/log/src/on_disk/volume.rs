//! The directories of a volume.
//!
//! ```text
//! LOCK                      held by the process that uses the volume
//! CURRENT                   names the generation that counts
//! gen-7/                    that generation: the store, and HEAD
//! damaged-1700000000/       put aside, with the CURRENT that named it; the newest two are kept
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use liqo_events::UnixMillis;
use rustix::fs::{FlockOperation, flock};

use super::current::{Current, PREFIX, parse, text};
use super::quarantine::Quarantine;
use crate::LogError;

const LOCK: &str = "LOCK";
const CURRENT: &str = "CURRENT";
const CURRENT_TEMPORARY: &str = "CURRENT.new";
/// Enough to see whether it happens again and again, and to look at the last one; each can be as large as the log.
const KEPT_ASIDE: usize = 2;

/// The right to use a volume, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// The paths of a volume, and whether this user of it may still change what counts.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    path: PathBuf,
    given_up: Arc<Mutex<bool>>,
}

impl Volume {
    /// Makes the directory when it is not there, and takes the right to use it.
    pub(super) fn lock(path: &Path) -> Result<(Self, Lock), LogError> {
        let refused = |doing| {
            let path = path.to_owned();
            move |source| LogError::Volume { path, doing, source }
        };
        fs::create_dir_all(path).map_err(refused("make it"))?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK));
        let file = file.map_err(refused("write to it"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok((Self::at(path), Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LogError::Locked { path: path.to_owned() }),
            Err(error) => Err(refused("lock it")(error.into())),
        }
    }

    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), given_up: Arc::new(Mutex::new(false)) }
    }

    /// The same volume for another user: what gives up this one does not touch it.
    pub(super) fn renewed(&self) -> Self {
        Self::at(&self.path)
    }

    /// Takes the right to change what counts from every clone. A thread that was given up may wake up after a newer
    /// generation was begun, and must neither name its own as current nor remove the newer one.
    pub(super) fn give_up(&self) {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Changes what counts, unless this user of the volume was given up.
    pub(super) fn change<R>(&self, change: impl FnOnce(&Self) -> io::Result<R>) -> io::Result<R> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if *given_up {
            return Err(io::Error::other("the log in this volume was given up, and another may be in use"));
        }
        change(self)
    }

    /// The volume's directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of a generation.
    pub(super) fn generation(&self, number: u64) -> PathBuf {
        self.path.join(format!("{PREFIX}{number}"))
    }

    /// The generations that have a directory, in order.
    pub(super) fn generations(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number: Option<u64> = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads CURRENT.
    pub(super) fn current(&self) -> io::Result<Current> {
        match fs::read(self.path.join(CURRENT)) {
            Ok(bytes) => Ok(parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Current::Missing),
            Err(error) => Err(error),
        }
    }

    /// Writes a CURRENT that does not count yet.
    pub(super) fn prepare_current(&self, number: u64) -> io::Result<()> {
        let mut file = File::create(self.path.join(CURRENT_TEMPORARY))?;
        file.write_all(text(number).as_bytes())?;
        file.sync_all()
    }

    /// Makes the prepared CURRENT count, durably.
    pub(super) fn switch_current(&self) -> io::Result<()> {
        fs::rename(self.path.join(CURRENT_TEMPORARY), self.path.join(CURRENT))?;
        sync_directory(&self.path)
    }

    /// Removes the generations but one. What cannot be removed is left for the next time.
    pub(super) fn remove_generations_but(&self, number: Option<u64>) -> io::Result<()> {
        for other in self.generations()?.into_iter().filter(|other| Some(*other) != number) {
            drop(fs::remove_dir_all(self.generation(other)));
        }
        Ok(())
    }

    /// Removes everything but the lock.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.keep_aside(0)?;
        match fs::remove_file(self.path.join(CURRENT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => sync_directory(&self.path)?,
        }
        self.remove_generations_but(None)
    }

    /// Puts a generation aside, and keeps the newest two of what is there. Gives back where it is.
    pub(super) fn put_aside(
        &self,
        number: Option<u64>,
        why: Quarantine,
        now: UnixMillis,
    ) -> io::Result<PathBuf> {
        let seconds = u64::try_from(now.0 / 1000).unwrap_or(0);
        let mut aside = (seconds..).map(|second| self.path.join(format!("{why}-{second}")));
        // A name is taken when something was put aside within the same second.
        let aside = aside.find(|path| !path.exists()).unwrap_or_else(|| self.path.join(why.to_string()));
        match number.map(|number| fs::rename(self.generation(number), &aside)) {
            Some(Ok(())) => {}
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&aside)?,
        }
        Ok(aside)
    }

    /// Moves CURRENT to what it named, so that it names nothing that is not there.
    pub(super) fn put_current_aside(&self, aside: &Path) -> io::Result<()> {
        match fs::rename(self.path.join(CURRENT), aside.join(CURRENT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        sync_directory(&self.path)
    }

    /// Removes all but the newest of what was put aside.
    pub(super) fn keep_newest_aside(&self) -> io::Result<()> {
        self.keep_aside(KEPT_ASIDE)
    }

    fn keep_aside(&self, kept: usize) -> io::Result<()> {
        for path in self.aside()?.into_iter().rev().skip(kept) {
            fs::remove_dir_all(path)?;
        }
        Ok(())
    }

    /// What was put aside, the newest last.
    pub(super) fn aside(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let second = Quarantine::ALL
                .iter()
                .find_map(|why| name.strip_prefix(&why.to_string())?.strip_prefix('-')?.parse::<u64>().ok());
            found.extend(second.map(|second| (second, path)));
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_says_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let (volume, _lock) = Volume::lock(dir.path()).unwrap();
        assert_eq!(volume.current().unwrap(), Current::Missing);
        volume.prepare_current(12).unwrap();
        assert_eq!(volume.current().unwrap(), Current::Missing);
        volume.switch_current().unwrap();
        assert_eq!(volume.current().unwrap(), Current::Generation(12));
    }

    #[test]
    fn the_newest_two_stay_aside() {
        let dir = tempfile::tempdir().unwrap();
        let (volume, _lock) = Volume::lock(dir.path()).unwrap();
        for (number, why) in (1..).zip(Quarantine::ALL) {
            fs::create_dir(volume.generation(number)).unwrap();
            volume
                .put_aside(Some(number), why, UnixMillis(5_000 + i64::try_from(number).unwrap() * 1000))
                .unwrap();
            volume.keep_newest_aside().unwrap();
        }
        let names = [dir.path().join("unreadable-10"), dir.path().join("abandoned-11")];
        assert_eq!(volume.aside().unwrap(), names);
    }

    #[test]
    fn who_was_given_up_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (volume, _lock) = Volume::lock(dir.path()).unwrap();
        let (late, next) = (volume.clone(), volume.renewed());
        assert!(late.change(|volume| volume.prepare_current(1)).is_ok());
        volume.give_up();
        assert!(late.change(Volume::switch_current).is_err());
        assert_eq!(volume.current().unwrap(), Current::Missing);
        assert!(next.change(Volume::switch_current).is_ok());
    }

    #[test]
    fn a_volume_is_used_once() {
        let dir = tempfile::tempdir().unwrap();
        let held = Volume::lock(dir.path()).unwrap();
        assert!(matches!(Volume::lock(dir.path()), Err(LogError::Locked { .. })));
        drop(held);
        assert!(Volume::lock(dir.path()).is_ok());
    }
}
