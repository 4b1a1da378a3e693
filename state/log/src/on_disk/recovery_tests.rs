//! What a log does about its volume: rotation that stops anywhere, damage of each kind, new generations.

use std::fs;
use std::path::Path;
use std::time::Duration;

use liqo_events::{SCHEMA, Seq, UnixMillis};

use super::rotate::{Step, plan};
use super::{Opened, Opening, Options, Quarantine, SledLog};
use crate::contract_tests::{event, events, snapshot};
use crate::{EventLog, Failure, LogError};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const MUCH_LATER: UnixMillis = UnixMillis(500 * 24 * 60 * 60 * 1000);

fn open(path: &Path) -> Opened {
    SledLog::open(path, Options::VIRTUAL_KUBELET, NOW).unwrap()
}

fn open_whole(path: &Path) -> SledLog {
    let opened = open(path);
    assert_eq!(opened.how, Opening::Whole);
    opened.log
}

/// A log of 900 events in batches of 100, of which 600 are history.
fn filled(path: &Path) -> SledLog {
    let mut log = open(path).log;
    events(1..=900, 300).chunks(100).for_each(|batch| log.append(batch).unwrap());
    log.keep(&snapshot(600, 50)).unwrap();
    log
}

fn put_aside(opened: &Opened) -> Quarantine {
    let Opening::Quarantined { why, path, .. } = &opened.how else { panic!("{:?}", opened.how) };
    assert!(path.is_dir());
    assert_eq!((opened.log.next(), opened.log.snapshot().unwrap()), (Seq(1), None));
    assert_eq!(opened.log.statistics().quarantined, 1);
    *why
}

/// Makes the store forget a chunk, as damage can.
fn lose_chunk(log: &SledLog, index: u64) {
    log.ask(move |store| {
        store.generation.chunks.forget(index)?;
        store.generation.sync()
    })
    .unwrap();
}

#[test]
fn a_rotation_that_stops_anywhere_leaves_a_whole_log() {
    use Step::{Copied, Created, Prepared, Removed, Switched, Synced};
    for (stop, generation) in
        [(Created, 1), (Copied, 1), (Synced, 1), (Prepared, 1), (Switched, 2), (Removed, 2)]
    {
        let dir = tempfile::tempdir().unwrap();
        let log = filled(dir.path());
        let stopped = log.ask(move |store| {
            let plan = plan(&store.generation, 0, &store.options.retention, MUCH_LATER)?;
            store.rotate(&plan, MUCH_LATER, &mut |step| {
                if step == stop { Err(Failure::Ended) } else { Ok(()) }
            })
        });
        assert!(matches!(stopped, Err(Failure::Ended)), "{stop:?}");
        drop(log);
        let mut log = open_whole(dir.path());
        assert_eq!(log.statistics().generation, generation, "{stop:?}");
        assert_eq!((log.first(), log.last()), (Seq(601), Some(Seq(900))));
        assert_eq!(log.read(Seq(601), usize::MAX).unwrap(), events(601..=900, 300));
        assert_eq!(log.snapshot().unwrap(), Some(snapshot(600, 50)));
        let history = log.read(Seq(1), usize::MAX).unwrap().len() - 300;
        assert_eq!(history, if generation == 1 { 600 } else { 0 }, "{stop:?}");
        // And the next one is not in the way.
        log.append(&events(901..=902, 300)).unwrap();
        log.collect(MUCH_LATER).unwrap();
        assert_eq!(open_names(dir.path(), "gen-").len(), 1);
        drop(log);
        assert_eq!(open_whole(dir.path()).last(), Some(Seq(902)));
    }
}

fn open_names(path: &Path, prefix: &str) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(prefix)).collect()
}

#[test]
fn a_lost_tail_is_counted_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = filled(dir.path());
    log.append(&events(901..=905, 10)).unwrap();
    let last = log.ask(|store| Ok(store.generation.chunks.len() - 1)).unwrap();
    lose_chunk(&log, last);
    drop(log);
    let Opened { mut log, how } = open(dir.path());
    assert_eq!((how, log.last()), (Opening::TornTail { lost: 5 }, Some(Seq(900))));
    log.append(&events(901..=901, 20)).unwrap();
    drop(log);
    assert_eq!(open_whole(dir.path()).read(Seq(900), 9).unwrap(), [event(900, 300), event(901, 20)]);
}

#[test]
fn a_hole_in_what_replay_reads_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path());
    let last = log.ask(|store| Ok(store.generation.chunks.len() - 1)).unwrap();
    lose_chunk(&log, last - 1);
    drop(log);
    assert_eq!(put_aside(&open(dir.path())), Quarantine::Damaged);
}

#[test]
fn a_hole_in_history_shows_on_reading_and_hurts_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    lose_chunk(&filled(dir.path()), 2);
    let mut log = open_whole(dir.path());
    assert!(matches!(log.read(Seq(1), usize::MAX), Err(LogError::Damaged { .. })));
    assert_eq!(log.read(Seq(601), usize::MAX).unwrap(), events(601..=900, 300));
    log.append(&events(901..=901, 1)).unwrap();
    // Trimming leaves it out.
    log.collect(MUCH_LATER).unwrap();
    assert_eq!(log.statistics().damaged_chunks, 1);
    assert_eq!(log.read(Seq(601), usize::MAX).unwrap().len(), 301);
    drop(log);
    assert_eq!(open_whole(dir.path()).last(), Some(Seq(901)));
}

#[test]
fn what_a_newer_version_wrote_is_put_aside_unread() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = filled(dir.path());
    let mut newer = event(901, 10);
    newer.schema = SCHEMA + 1;
    log.append(&[newer]).unwrap();
    drop(log);
    assert_eq!(put_aside(&open(dir.path())), Quarantine::NewerVersion);
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    fs::write(dir.path().join("CURRENT"), "liqo log 2\ngen-1 and more\n").unwrap();
    assert_eq!(put_aside(&open(dir.path())), Quarantine::NewerVersion);
}

#[test]
fn a_volume_without_its_name_is_damaged_unless_it_was_never_used() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    fs::remove_file(dir.path().join("CURRENT")).unwrap();
    assert_eq!(put_aside(&open(dir.path())), Quarantine::Damaged);
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    fs::remove_file(dir.path().join("CURRENT")).unwrap();
    assert_eq!(open(dir.path()).how, Opening::Fresh);
}

#[test]
fn a_store_that_does_not_open_is_given_up() {
    // Somebody in this process still has the store open, as a thread that hangs would.
    for (deadline, expected) in [(1500, Quarantine::TimedOut), (60_000, Quarantine::Unreadable)] {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path()));
        let hangs = super::store::open(&dir.path().join("gen-1"), 1 << 20).unwrap();
        let options = Options { open_deadline: Duration::from_millis(deadline), ..Options::VIRTUAL_KUBELET };
        let opened = SledLog::open(dir.path(), options, NOW).unwrap();
        assert_eq!(put_aside(&opened), expected);
        assert_eq!(opened.log.statistics().generation, 2);
        drop(hangs);
    }
}

#[test]
fn a_new_generation_goes_on_from_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = filled(dir.path());
    let panicked = log.ask(|_| -> Result<(), Failure> { panic!("in the store") });
    assert!(matches!(panicked, Err(Failure::Panicked(_))));
    assert!(matches!(log.append(&events(901..=901, 1)), Err(LogError::Append { first: Seq(901), .. })));
    drop(log);
    let begun = SledLog::begin_generation(dir.path(), Options::VIRTUAL_KUBELET, &snapshot(950, 70), NOW);
    let mut log = begun.unwrap();
    assert_eq!((log.first(), log.last(), log.next()), (Seq(951), None, Seq(951)));
    assert_eq!((log.statistics().generation, log.statistics().quarantined), (2, 1));
    drop(log);
    log = open_whole(dir.path());
    assert_eq!((log.first(), log.last(), log.next()), (Seq(951), None, Seq(951)));
    log.append(&events(951..=960, 10)).unwrap();
    drop(log);
    let log = open_whole(dir.path());
    assert_eq!(log.read(Seq(1), usize::MAX).unwrap(), events(951..=960, 10));
    assert_eq!(log.snapshot().unwrap(), Some(snapshot(950, 70)));
    assert_eq!(open_names(dir.path(), "abandoned-").len(), 1);
}

#[test]
fn a_volume_that_cannot_be_used_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = SledLog::open(&file.join("log"), Options::CONTROLLER, NOW);
    assert!(matches!(refused, Err(LogError::Volume { doing: "make it", .. })));
    let _held = open(dir.path());
    let second = SledLog::open(dir.path(), Options::CONTROLLER, NOW);
    assert!(matches!(second, Err(LogError::Locked { path }) if path == dir.path()));
}
