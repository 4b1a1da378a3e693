//! The store, used only in ways that were measured to be safe and fast.
//!
//! - **Append only.** Nothing is ever removed: space comes back by writing what is kept into a new generation. The store
//!   never shrinks its files anyway, and removing is where it rewrites and merges pages.
//! - **No value becomes a file of its own.** The store moves a page above a quarter of a segment out of its log, and
//!   never syncs it there. A leaf holds at most 17 values, of less than 32 KiB here: about half a MiB, in segments of 4.
//! - **Slots.** A leaf is split in two when it has 17 keys, and written anew: three times as many bytes as were given.
//!   So keys are put in with empty values ahead of time, the split happens among empty ones, and a value is then
//!   written once, as the ninth at most of its leaf, one before the store would write the leaf anew.
//! - **Our own sync.** The store's flush asks Linux to write pages back (`sync_file_range`), which neither makes a grown
//!   file's length durable nor empties the disk's cache. Its file is synced here after each flush.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use liqo_events::Seq;
use sled::{Db, IVec, Tree};

use crate::Failure;

const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
/// Slots that are there at least before a value is written; more than a leaf holds.
const SLOTS_AHEAD: u64 = 32;
/// Slots that are made at a time.
const SLOTS_MADE: u64 = 64;
/// The store closes its file a moment after it was dropped.
const CLOSING: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(5);

/// Opens the store in a directory, making it when it is not there.
pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Db, Failure> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None)
        .use_compression(false);
    let begun = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if locked(&error) && begun.elapsed() < CLOSING => {
                thread::sleep(RETRY);
            }
            opened => return Ok(opened?),
        }
    }
}

/// The store has no kind of its own for this.
fn locked(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Makes everything that was given to the store survive a crash of the machine. Microseconds that it took.
pub(super) fn sync(db: &Db, file: &File) -> Result<u64, Failure> {
    let begun = Instant::now();
    db.flush()?;
    file.sync_data()?;
    Ok(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// A tree whose keys count from 0 and whose values are only ever added.
#[derive(Debug)]
pub(super) struct Slots {
    tree: Tree,
    /// Values that are there; also the index of the next one.
    used: u64,
    made: u64,
}

impl Slots {
    /// Opens the tree and finds its end.
    pub(super) fn open(db: &Db, name: &str) -> Result<Self, Failure> {
        let tree = db.open_tree(name)?;
        let mut made = 0;
        let mut used = 0;
        for entry in tree.iter().rev() {
            let (key, value) = entry?;
            let index = index(&key)?;
            made = made.max(index + 1);
            if !value.is_empty() {
                used = index + 1;
                break;
            }
        }
        Ok(Self { tree, used, made })
    }

    /// How many values there are.
    pub(super) fn len(&self) -> u64 {
        self.used
    }

    /// Adds a value that is not empty.
    pub(super) fn push(&mut self, value: Vec<u8>) -> Result<(), Failure> {
        if self.made < self.used + SLOTS_AHEAD {
            for index in self.made..self.made.max(self.used) + SLOTS_MADE {
                self.tree.insert(index.to_be_bytes(), IVec::default())?;
                self.made = index + 1;
            }
        }
        self.tree.insert(self.used.to_be_bytes(), value)?;
        self.used += 1;
        Ok(())
    }

    /// A value; nothing when it got lost. `at` names it in errors.
    pub(super) fn get(&self, index: u64) -> Result<Option<IVec>, Failure> {
        Ok(self.tree.get(index.to_be_bytes())?.filter(|value| !value.is_empty()))
    }

    /// Empties a slot.
    pub(super) fn forget(&mut self, index: u64) -> Result<(), Failure> {
        self.tree.insert(index.to_be_bytes(), IVec::default())?;
        Ok(())
    }

    /// Forgets the values from here on.
    pub(super) fn cut(&mut self, from: u64) -> Result<(), Failure> {
        for index in from..self.used {
            self.forget(index)?;
        }
        self.used = self.used.min(from);
        self.made = self.made.max(self.used);
        Ok(())
    }
}

fn index(key: &[u8]) -> Result<u64, Failure> {
    let bytes = key.try_into().map_err(|_| Failure::damaged(Seq::default(), "a key is no number"))?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(index: u64, bytes: usize) -> Vec<u8> {
        index.to_be_bytes().iter().copied().cycle().take(bytes).collect()
    }

    #[test]
    fn values_are_found_after_a_restart_and_cost_their_size() {
        let dir = tempfile::tempdir().unwrap();
        let (count, bytes) = (600, 31 * 1024 + 200);
        {
            let db = open(dir.path(), 1 << 20).unwrap();
            let mut slots = Slots::open(&db, "values").unwrap();
            for index in 0..count {
                slots.push(value(index, bytes)).unwrap();
            }
            db.flush().unwrap();
            let size = db.size_on_disk().unwrap();
            assert!(size < count * bytes as u64 * 11 / 10, "{size} bytes on the disk");
        }
        assert_eq!(std::fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0, "no value left the log");
        let db = open(dir.path(), 1 << 20).unwrap();
        let slots = Slots::open(&db, "values").unwrap();
        assert_eq!(slots.len(), count);
        assert!((0..count).all(|index| slots.get(index).unwrap().unwrap() == value(index, bytes)));
        assert_eq!(slots.get(count).unwrap(), None);
    }

    #[test]
    fn what_was_cut_is_gone_and_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path(), 1 << 20).unwrap();
        let mut slots = Slots::open(&db, "values").unwrap();
        (0..5).for_each(|index| slots.push(value(index, 10)).unwrap());
        slots.cut(3).unwrap();
        let mut again = Slots::open(&db, "values").unwrap();
        assert_eq!((again.len(), again.get(3).unwrap()), (3, None));
        again.push(value(9, 10)).unwrap();
        assert_eq!(again.get(3).unwrap().unwrap(), value(9, 10));
    }
}
