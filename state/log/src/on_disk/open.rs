//! Opens a volume, whatever is on it.

use std::path::{Path, PathBuf};

use liqo_events::UnixMillis;

use super::Options;
use super::begin::{Started, begin_empty, number_after};
use super::current::Current;
use super::generation::Generation;
use super::head::Head;
use super::keeper::Keeper;
use super::quarantine::Quarantine;
use super::rotate::guess_survivors;
use super::verify::{Verified, verify};
use super::volume::{Volume, sync_directory};
use super::worker::Worker;
use crate::{Failure, LogError};

/// How a volume was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Everything that was acknowledged is there.
    Whole,
    /// The end is missing. What is there is whole, and the log goes on after it: positions of lost events are given out
    /// again. What they said has to be observed again.
    TornTail {
        /// Events that were acknowledged, or found in pieces, and are there no more.
        lost: u64,
    },
    /// It could not be used and was put aside; the log is empty.
    Quarantined {
        /// Why.
        why: Quarantine,
        /// Where it was put. When the volume is full it is removed.
        path: PathBuf,
        /// What was found, for people.
        reason: String,
    },
    /// There was no log; it is empty.
    Fresh,
}

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
            return Ok((begin_empty(volume, options, next, now)?, Opening::Fresh));
        }
        Found::Unusable { number, why, reason } => (number, why, reason.to_owned()),
        Found::Generation(number) => match start(volume, options, number) {
            Ok((started, verified)) => {
                volume
                    .remove_generations_but(Some(number))
                    .map_err(unusable("clear what was left behind"))?;
                let how = if verified.lost == 0 {
                    Opening::Whole
                } else {
                    Opening::TornTail { lost: verified.lost }
                };
                return Ok((started, how));
            }
            Err(failure) => (Some(number), judge(volume, &failure)?, failure.to_string()),
        },
    };
    let path = volume.put_aside(number, why, now).map_err(unusable("put a damaged log aside"))?;
    volume.put_current_aside(&path).map_err(unusable("put a damaged log aside"))?;
    let started = begin_empty(volume, options, next, now)?;
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

/// Opens a generation on a thread of its own, and judges it there.
fn start(volume: &Volume, options: &Options, number: u64) -> Result<(Started, Verified), Failure> {
    let volume = volume.renewed();
    let (in_thread, options) = (volume.clone(), *options);
    let started = Worker::start(options.open_deadline, move || {
        let path = in_thread.generation(number);
        let (mut generation, mark) = Generation::open(&path, number, options.cache_bytes)?;
        let verified = verify(&mut generation, mark)?;
        // The store renames a file when it opens.
        sync_directory(&path)?;
        generation.sync_all()?;
        let survivors = guess_survivors(&generation)?;
        let mut keeper = Keeper::new(in_thread, options, generation, survivors);
        let figures = keeper.figures()?;
        Ok((keeper, (figures, verified)))
    });
    if started.is_err() {
        volume.give_up();
    }
    started.map(|(worker, (figures, verified))| (Started { worker, figures, volume }, verified))
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
