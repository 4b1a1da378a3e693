//! Kills a process that appends, at any moment: nothing acknowledged is lost, nothing is there twice, no gap.

use std::path::Path;

use liqo_events::{Envelope, Seq};
use liqo_log::{EventLog, Opening, Options, SledLog};

use crate::children::{Running, command, say};
use crate::{Chance, event, rounds, snapshot};

/// Most events of a batch.
const BATCH: u64 = 30;

/// Appends batches, keeps snapshots and trims, for ever; says each position after it was acknowledged.
pub(crate) fn append_until_killed(volume: &Path, seed: u64) {
    let mut chance = Chance(seed);
    say("starts");
    let mut log = SledLog::open(volume, Options::VIRTUAL_KUBELET, event(1).recorded_at).unwrap().log;
    loop {
        let next = log.next().0;
        let batch: Vec<Envelope> = (next..=next + chance.below(BATCH)).map(event).collect();
        log.append(&batch).unwrap();
        let last = log.last().unwrap().0;
        say(&format!("ack {last}"));
        if chance.below(12) == 0 {
            let at = log.first().0 - 1 + chance.below(last + 2 - log.first().0);
            log.keep(&snapshot(at)).unwrap();
            say(&format!("kept {at}"));
            log.collect(event(last).recorded_at).unwrap();
            say(&format!("trimmed {}", log.statistics().generation));
        }
    }
}

/// What the parent knows of the volume.
#[derive(Default)]
struct Known {
    acknowledged: u64,
    kept: u64,
    generation: u64,
}

impl Known {
    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("ack", last)) => self.acknowledged = last.parse().unwrap(),
            Some(("kept", at)) => self.kept = at.parse().unwrap(),
            Some(("trimmed", generation)) => self.generation = generation.parse().unwrap(),
            _ => {}
        }
    }

    /// Opens what was left behind and compares. Everything from `from` on is read.
    fn judge(&mut self, volume: &Path, from: u64) {
        let opened = SledLog::open(volume, Options::VIRTUAL_KUBELET, event(1).recorded_at).unwrap();
        let fresh = opened.how == Opening::Fresh && self.acknowledged == 0;
        assert!(opened.how == Opening::Whole || fresh, "{:?} after {}", opened.how, self.acknowledged);
        let log = opened.log;
        let last = log.last().map_or(0, |last| last.0);
        assert!((self.acknowledged..=self.acknowledged + BATCH).contains(&last), "{last} of {}", self.acknowledged);
        // History above the window may be gone.
        let from = log.statistics().oldest.map_or(1, |oldest| oldest.0).max(from);
        let read = log.read(Seq(from), usize::MAX).unwrap();
        let expected: Vec<Envelope> = (from..=last).map(event).collect();
        assert!(read == expected, "{} events from {from} on, and not {}", read.len(), expected.len());
        let kept = log.snapshot().unwrap();
        assert!(kept.as_ref().map_or(0, |kept| kept.at.0) >= self.kept);
        assert_eq!(kept, kept.as_ref().map(|kept| snapshot(kept.at.0)));
        assert_eq!(log.first().0, kept.map_or(1, |kept| kept.at.0 + 1));
        self.acknowledged = last;
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = Chance(1);
    let mut known = Known::default();
    let kills = rounds(200, 10_000);
    for kill in 0..kills {
        let mut child = Running::start(command("append", dir.path(), chance.below(u64::MAX)));
        for _ in 0..=chance.below(25) {
            known.hear(&child.hear().expect("the child runs until it is killed"));
        }
        child.kill().iter().for_each(|line| known.hear(line));
        // All of it now and then; else the end, which is what a kill can hurt.
        let from = if kill % 40 == 39 { 0 } else { known.acknowledged.saturating_sub(300) };
        known.judge(dir.path(), from);
    }
    println!("{kills} kills, {} events, generation {}", known.acknowledged, known.generation);
    assert!(known.generation > 1, "no rotation was met");
}
