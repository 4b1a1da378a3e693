//! Opens damaged copies of a volume: what is there is whole, or the damage shows. Never wrong events, never a hang, never
//! a process that dies.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use liqo_events::{Envelope, Seq, UnixMillis};
use liqo_log::{EventLog, LogError, Opening, Options, SledLog};

use crate::children::{command, run, say};
use crate::{Chance, event_of, rounds, snapshot, table};

const EVENTS: u64 = 900;
const SNAPSHOT: u64 = 600;
const PAGE: u64 = 4096;
/// What a child may take, with all that runs beside it.
const DEADLINE: Duration = Duration::from_secs(60);

/// Large events, so that few make several segments of the store.
fn event(seq: u64) -> Envelope {
    event_of(seq, 6000 + seq % 8 * 1000)
}

fn options() -> Options {
    Options {
        open_deadline: Duration::from_secs(10),
        call_deadline: Duration::from_secs(10),
        ..Options::VIRTUAL_KUBELET
    }
}

/// Makes the volume that is damaged: batches of all sizes, opened three times, a snapshot in the middle.
fn make(volume: &Path) {
    let mut chance = Chance(7);
    for upto in [EVENTS / 2, EVENTS * 5 / 6, EVENTS] {
        let mut log = SledLog::open(volume, options(), UnixMillis(0)).unwrap().log;
        while log.next().0 <= upto {
            let next = log.next().0;
            let batch: Vec<Envelope> = (next..=upto.min(next + chance.below(30))).map(event).collect();
            log.append(&batch).unwrap();
        }
        if (SNAPSHOT..EVENTS).contains(&upto) {
            log.keep(&snapshot(SNAPSHOT)).unwrap();
        }
    }
}

/// Opens a volume and says what it found; panics when that is wrong.
pub(crate) fn judge(volume: &Path) {
    let opened = SledLog::open(volume, options(), UnixMillis(1_700_000_000_000)).unwrap();
    let log = &opened.log;
    let outcome = match opened.how {
        Opening::Whole => judge_content(log, EVENTS, "whole").to_owned(),
        Opening::TornTail { lost } => {
            let last = log.last().map_or(log.first().0 - 1, |last| last.0);
            assert!(lost >= EVENTS - last && lost > 0, "{lost} lost, and {last} is the last");
            judge_content(log, last, "torn tail, counted").to_owned()
        }
        Opening::Quarantined { why, path, .. } => {
            assert!(path.is_dir());
            assert_eq!(
                (log.next(), log.read(Seq(0), 9).unwrap(), log.snapshot().unwrap()),
                (Seq(1), vec![], None)
            );
            format!("put aside as {why}")
        }
        Opening::Fresh => "silently empty".to_owned(),
    };
    // Whatever was found: the log can be used, and again after a restart.
    let mut log = opened.log;
    let next = log.next();
    log.append(&[event(next.0)]).unwrap();
    drop(log);
    let again = SledLog::open(volume, options(), UnixMillis(1_700_000_001_000)).unwrap();
    assert_eq!((again.how, again.log.last()), (Opening::Whole, Some(next)));
    say(&outcome);
}

/// Compares all that can be read with what was written, and gives back `sound`, or what shows on reading.
fn judge_content<'a>(log: &SledLog, last: u64, sound: &'a str) -> &'a str {
    assert!(last >= SNAPSHOT);
    assert_eq!((log.first(), log.snapshot().unwrap()), (Seq(SNAPSHOT + 1), Some(snapshot(SNAPSHOT))));
    let dense: Vec<Envelope> = (SNAPSHOT + 1..=last).map(event).collect();
    assert!(log.read(log.first(), usize::MAX).unwrap() == dense, "the dense part is not what was written");
    match log.read(Seq(0), usize::MAX) {
        Ok(read) => {
            assert!(read == (1..=last).map(event).collect::<Vec<_>>(), "history is not what was written");
            sound
        }
        Err(LogError::Damaged { .. }) => "history damaged, shown on reading",
        Err(other) => panic!("{other}"),
    }
}

/// Files of a volume, without the lock, in order of their names.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("LOCK") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
    // Empty, and the store expects it.
    fs::create_dir_all(to.join("gen-1/blobs")).unwrap();
}

fn change(path: &Path, offset: u64, bytes: usize, how: impl FnOnce(&mut [u8])) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut piece = vec![0; bytes];
    let read = file.read_at(&mut piece, offset).unwrap();
    how(&mut piece[..read]);
    file.write_all_at(&piece[..read], offset).unwrap();
}

/// Damages one thing in a volume, and says what.
fn damage(volume: &Path, chance: &mut Chance) -> String {
    let all = files(volume);
    let pick = |chance: &mut Chance| all[usize::try_from(chance.below(all.len() as u64)).unwrap()].clone();
    let large = volume.join("gen-1/db");
    // Most of what is stored is in one file.
    let file = if chance.below(10) < 7 { large.clone() } else { pick(chance) };
    let length = fs::metadata(&file).unwrap().len();
    let kind = match chance.below(7) {
        0 => {
            let bit = chance.below(8);
            change(&file, chance.below(length), 1, |bytes| bytes[0] ^= 1 << bit);
            "flipped bit"
        }
        1 => {
            let page = usize::try_from(PAGE).unwrap();
            change(&file, chance.below(length.div_ceil(PAGE)) * PAGE, page, |bytes| bytes.fill(0));
            "zeroed page"
        }
        2 => {
            OpenOptions::new().write(true).open(&file).unwrap().set_len(chance.below(length)).unwrap();
            "cut off"
        }
        3 => {
            let garbage: Vec<u8> =
                (0..chance.below(9000)).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
            let end = OpenOptions::new().write(true).open(&file).unwrap();
            end.write_all_at(&garbage, length).unwrap();
            "garbage appended"
        }
        4 => {
            fs::remove_file(&file).unwrap();
            "file missing"
        }
        5 => {
            let other = pick(chance);
            let aside = volume.join("aside");
            fs::rename(&file, &aside).unwrap();
            if other != file {
                fs::rename(&other, &file).unwrap();
            }
            fs::rename(&aside, &other).unwrap();
            "files exchanged"
        }
        _ => {
            exchange_pages(&large, chance);
            return "db: pages exchanged".to_owned();
        }
    };
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    format!("{}: {kind}", name.split('.').next().unwrap())
}

fn exchange_pages(file: &Path, chance: &mut Chance) {
    let pages = fs::metadata(file).unwrap().len() / PAGE;
    let (one, other) = (chance.below(pages) * PAGE, chance.below(pages) * PAGE);
    let page = usize::try_from(PAGE).unwrap();
    let (mut first, mut second) = (vec![0; page], vec![0; page]);
    change(file, one, page, |bytes| first.copy_from_slice(bytes));
    change(file, other, page, |bytes| second.copy_from_slice(bytes));
    change(file, one, page, |bytes| bytes.copy_from_slice(&second));
    change(file, other, page, |bytes| bytes.copy_from_slice(&first));
}

#[test]
fn damage_shows_and_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    make(&whole);
    let mut counts = BTreeMap::new();
    for seed in 0..rounds(60, 5000) {
        let volume = dir.path().join("damaged");
        copy(&whole, &volume);
        let kind = damage(&volume, &mut Chance(seed));
        let said = run(command("judge", &volume, seed), DEADLINE);
        let [outcome] = said.as_slice() else { panic!("{kind} (seed {seed}): {said:?}") };
        assert_ne!(outcome, "silently empty", "{kind} (seed {seed})");
        *counts.entry(format!("{outcome}  <-  {kind}")).or_insert(0) += 1;
        fs::remove_dir_all(&volume).unwrap();
    }
    println!("{}", table(&counts));
    assert!(
        counts.keys().any(|what| what.starts_with("whole")),
        "harmless damage is no reason to lose the log"
    );
    assert!(counts.keys().any(|what| !what.starts_with("whole")));
}
