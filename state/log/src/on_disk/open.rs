//! Opens a volume, whatever is on it, and begins generations.

use std::path::{Path, PathBuf};

use liqo_events::{Seq, StateDigest, UnixMillis};

use super::generation::Generation;
use super::head::Head;
use super::rotate::guess_survivors;
use super::verify::{Verified, verify};
use super::volume::{Current, Quarantine, Volume, sync_directory};
use super::worker::Worker;
use super::{Figures, Options, Store};
use crate::{Failure, LogError, Snapshot};

/// How a volume was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Everything that was acknowledged is there.
    Whole,
    /// The end is missing. What is there is whole, and the log goes on after it.
    TornTail {
        /// Events that were acknowledged, or found in pieces, and are there no more.
        lost: u64,
    },
    /// It could not be used and was put aside; the log is empty.
    Quarantined {
        /// Why.
        why: Quarantine,
        /// Where it is now.
        path: PathBuf,
        /// What was found, for people.
        reason: String,
    },
    /// There was no log; it is empty.
    Fresh,
}

/// A thread with a store, and its figures.
pub(super) type Started = (Worker<Store>, Figures);

/// What opening found out before the store is touched.
enum Found {
    Nothing,
    Generation(u64),
    Unusable { number: Option<u64>, why: Quarantine, reason: &'static str },
}

/// Opens what CURRENT names; puts it aside and begins anew when that fails.
pub(super) fn open(
    volume: &Volume,
    options: &Options,
    now: UnixMillis,
) -> Result<(Started, Opening), LogError> {
    let unusable = |doing| move |source| LogError::Volume { path: volume.path().to_owned(), doing, source };
    let next = number_after(volume).map_err(unusable("read it"))?;
    let (number, why, reason) = match find(volume).map_err(unusable("read it"))? {
        Found::Nothing => {
            volume.remove_generations_but(None).map_err(unusable("clear what was never finished"))?;
            return Ok((create(volume, options, next, &nothing(now))?, Opening::Fresh));
        }
        Found::Unusable { number, why, reason } => (number, why, reason.to_owned()),
        Found::Generation(number) => match start(volume, options, number) {
            Ok((worker, (figures, verified))) => {
                volume
                    .remove_generations_but(Some(number))
                    .map_err(unusable("clear what was left behind"))?;
                let how = if verified.lost == 0 {
                    Opening::Whole
                } else {
                    Opening::TornTail { lost: verified.lost }
                };
                return Ok(((worker, figures), how));
            }
            Err(failure) => (Some(number), judge(volume, &failure)?, failure.to_string()),
        },
    };
    let path = volume.put_aside(number, why, now).map_err(unusable("put a damaged log aside"))?;
    volume.put_current_aside(&path).map_err(unusable("put a damaged log aside"))?;
    let started = create(volume, options, next, &nothing(now))?;
    volume.keep_newest_aside().map_err(unusable("remove what was put aside"))?;
    Ok((started, Opening::Quarantined { why, path, reason }))
}

fn find(volume: &Volume) -> std::io::Result<Found> {
    let newest = volume.generations()?.last().copied();
    Ok(match volume.current()? {
        Current::Generation(number) if volume.generation(number).is_dir() => Found::Generation(number),
        Current::Generation(_) => Found::Unusable {
            number: newest,
            why: Quarantine::Damaged,
            reason: "the generation that counts is gone",
        },
        Current::Damaged => {
            Found::Unusable { number: newest, why: Quarantine::Damaged, reason: "CURRENT makes no sense" }
        }
        Current::Newer => {
            let reason = "the volume has a layout of a newer version";
            Found::Unusable { number: newest, why: Quarantine::NewerVersion, reason }
        }
        Current::Missing => match newest.filter(|number| was_used(&volume.generation(*number))) {
            Some(_) => {
                Found::Unusable { number: newest, why: Quarantine::Damaged, reason: "CURRENT is gone" }
            }
            None => Found::Nothing,
        },
    })
}

/// Whether anything was ever acknowledged. A crash in the first start leaves a generation that was not.
fn was_used(generation: &Path) -> bool {
    let used = |bytes: u64| bytes > 0;
    generation.join("HEAD").is_file()
        && Head::open(generation).is_ok_and(|(_, mark)| mark.is_some_and(|mark| used(mark.last.0)))
}

type Reported = (Figures, Verified);

/// Opens a generation on a thread of its own, and judges it there.
fn start(volume: &Volume, options: &Options, number: u64) -> Result<(Worker<Store>, Reported), Failure> {
    let (volume, options) = (volume.clone(), *options);
    Worker::start(options.open_deadline, move || {
        let path = volume.generation(number);
        let (mut generation, mark) = Generation::open(&path, number, options.cache_bytes)?;
        let verified = verify(&mut generation, mark)?;
        // The store renames a file when it opens.
        sync_directory(&path)?;
        generation.sync_all()?;
        let survivors = guess_survivors(&generation)?;
        let mut store = Store { volume, options, generation, survivors, figures: Figures::default() };
        let figures = store.figures()?;
        Ok((store, (figures, verified)))
    })
}

/// Why a generation is to be put aside, or the error when that would not help: the volume itself refuses.
fn judge(volume: &Volume, failure: &Failure) -> Result<Quarantine, LogError> {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    Ok(match failure {
        Failure::Io(error)
            if failure.is_full() || matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) =>
        {
            let source = std::io::Error::new(error.kind(), error.to_string());
            return Err(LogError::Volume { path: volume.path().to_owned(), doing: "open the log", source });
        }
        Failure::Damaged { .. } => Quarantine::Damaged,
        Failure::NewerVersion(_) => Quarantine::NewerVersion,
        Failure::Panicked(_) => Quarantine::Panicked,
        Failure::TimedOut(_) => Quarantine::TimedOut,
        Failure::Io(_) | Failure::Store(_) | Failure::Ended => Quarantine::Unreadable,
    })
}

/// What a log without a past begins with.
fn nothing(now: UnixMillis) -> Snapshot {
    Snapshot::new(Seq::default(), now, StateDigest::default(), Vec::new())
}

/// Begins a generation whose first event comes after the snapshot, and makes it count. A snapshot of position 0 is that of
/// nothing and not written.
fn create(volume: &Volume, options: &Options, number: u64, snapshot: &Snapshot) -> Result<Started, LogError> {
    let path = volume.generation(number);
    let (at, bytes) = (snapshot.at, snapshot.to_bytes());
    let (in_thread, options) = (volume.clone(), *options);
    let started = Worker::start(options.open_deadline, move || {
        let volume = in_thread;
        let path = volume.generation(number);
        let mut generation = Generation::create(&path, number, options.cache_bytes, at.next())?;
        if at != Seq::default() {
            generation.push_snapshot(at, &bytes)?;
        }
        generation.sync_all()?;
        sync_directory(volume.path())?;
        volume.prepare_current(number)?;
        volume.switch_current()?;
        let mut store = Store { volume, options, generation, survivors: 0, figures: Figures::default() };
        let figures = store.figures()?;
        Ok((store, figures))
    });
    started.map_err(|source| LogError::Begin { path, source })
}

/// Numbers are never used twice: a thread that hangs in an old generation may still write to its directory.
fn number_after(volume: &Volume) -> std::io::Result<u64> {
    let named = match volume.current()? {
        Current::Generation(number) => number,
        Current::Missing | Current::Damaged | Current::Newer => 0,
    };
    let highest = volume.generations()?.last().copied().unwrap_or(0);
    Ok(named.max(highest) + 1)
}

/// Begins a generation from a snapshot in a volume whose log was abandoned. What is there makes place step by step: it is
/// put aside, else removed.
pub(super) fn begin_from(
    volume: &Volume,
    options: &Options,
    snapshot: &Snapshot,
    now: UnixMillis,
) -> Result<Started, LogError> {
    let unusable = |doing| move |source| LogError::Volume { path: volume.path().to_owned(), doing, source };
    let old = volume.generations().map_err(unusable("read it"))?.last().copied();
    let number = number_after(volume).map_err(unusable("read it"))?;
    let mut begun = create(volume, options, number, snapshot);
    if begun.as_ref().is_err_and(LogError::is_full) {
        // A durable log is worth more than the history of one that is not.
        volume.clear().map_err(unusable("free it"))?;
        begun = create(volume, options, number, snapshot);
    }
    let started = begun?;
    if let Some(number) = old.filter(|number| volume.generation(*number).is_dir()) {
        volume
            .put_aside(Some(number), Quarantine::Abandoned, now)
            .map_err(unusable("put the old log aside"))?;
        volume.keep_newest_aside().map_err(unusable("remove what was put aside"))?;
    }
    volume.remove_generations_but(Some(started.1.generation)).map_err(unusable("clear it"))?;
    Ok(started)
}
