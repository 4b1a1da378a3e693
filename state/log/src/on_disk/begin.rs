//! Begins generations.

use liqo_events::{Seq, StateDigest, UnixMillis};

use super::Options;
use super::current::Current;
use super::generation::Generation;
use super::keeper::{Figures, Keeper};
use super::quarantine::Quarantine;
use super::volume::Volume;
use super::worker::Worker;
use crate::{Failure, LogError, Snapshot};

/// A thread with a store, its figures, and the volume that it was given.
pub(super) struct Started {
    pub(super) worker: Worker<Keeper>,
    pub(super) figures: Figures,
    pub(super) volume: Volume,
}

/// Begins an empty log.
pub(super) fn begin_empty(
    volume: &Volume,
    options: &Options,
    number: u64,
    now: UnixMillis,
) -> Result<Started, LogError> {
    let nothing = Snapshot::new(Seq::default(), now, StateDigest::default(), Vec::new());
    begin_making_room(volume, options, number, &nothing)
}

/// Begins a generation from a snapshot in a volume whose log was abandoned. What is there is put aside, or removed when
/// there is no space otherwise.
pub(super) fn begin_from(
    volume: &Volume,
    options: &Options,
    snapshot: &Snapshot,
    now: UnixMillis,
) -> Result<Started, LogError> {
    let unusable = |doing| move |source| LogError::Volume { path: volume.path().to_owned(), doing, source };
    let abandoned = volume.current().map_err(unusable("read it"))?;
    let number = number_after(volume).map_err(unusable("read it"))?;
    let started = begin_making_room(volume, options, number, snapshot)?;
    if let Current::Generation(old) = abandoned
        && volume.generation(old).is_dir()
    {
        volume.put_aside(Some(old), Quarantine::Abandoned, now).map_err(unusable("put the old log aside"))?;
        volume.keep_newest_aside().map_err(unusable("remove what was put aside"))?;
    }
    volume.remove_generations_but(Some(number)).map_err(unusable("clear it"))?;
    Ok(started)
}

/// Numbers are never used twice: a thread that hangs in an old generation may still write to its directory.
pub(super) fn number_after(volume: &Volume) -> std::io::Result<u64> {
    let named = match volume.current()? {
        Current::Generation(number) => number,
        Current::Missing | Current::Damaged | Current::Newer => 0,
    };
    let highest = volume.generations()?.last().copied().unwrap_or(0);
    Ok(named.max(highest) + 1)
}

fn begin_making_room(
    volume: &Volume,
    options: &Options,
    number: u64,
    snapshot: &Snapshot,
) -> Result<Started, LogError> {
    let failed = |source| LogError::Begin { path: volume.generation(number), source };
    match begin(volume.renewed(), options, number, snapshot) {
        Err(failure) if failure.is_full() => {
            // A durable log is worth more than the history of one that is not.
            volume.clear().map_err(|source| failed(source.into()))?;
            begin(volume.renewed(), options, number, snapshot).map_err(failed)
        }
        begun => begun.map_err(failed),
    }
}

/// Begins a generation whose first event comes after the snapshot, and makes it count. A snapshot of position 0 is that of
/// nothing and not written.
fn begin(volume: Volume, options: &Options, number: u64, snapshot: &Snapshot) -> Result<Started, Failure> {
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
        super::volume::sync_directory(volume.path())?;
        volume.change(|volume| volume.prepare_current(number))?;
        volume.change(Volume::switch_current)?;
        let mut keeper = Keeper::new(volume, options, generation, 0);
        let figures = keeper.figures()?;
        Ok((keeper, figures))
    });
    if started.is_err() {
        volume.give_up();
    }
    started.map(|(worker, figures)| Started { worker, figures, volume })
}
