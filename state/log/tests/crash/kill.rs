//! Kills a process that appends, at any moment: nothing acknowledged is lost, nothing is there twice, no gap.
//!
//! Each child first judges what the one before left behind, so that a kill costs one opening.

use std::path::Path;

use liqo_events::{Envelope, Seq};
use liqo_log::{EventLog, Opening, Options, SledLog};

use crate::children::{Running, command, say};
use crate::{Chance, event, rounds, snapshot};

/// Most events of a batch.
const BATCH: u64 = 30;
const ACKNOWLEDGED: &str = "LIQO_LOG_ACKNOWLEDGED";
const KEPT: &str = "LIQO_LOG_KEPT";

/// What was said of the volume before the process was killed.
#[derive(Clone, Copy, Default)]
struct Known {
    acknowledged: u64,
    kept: u64,
    generation: u64,
}

impl Known {
    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("ack" | "found", last)) => self.acknowledged = last.parse().unwrap(),
            Some(("kept", at)) => self.kept = at.parse().unwrap(),
            Some(("trimmed", generation)) => self.generation = generation.parse().unwrap(),
            _ => {}
        }
    }

    /// Opens what was left behind and compares. All of it is read by one process in forty, else the end, which is what a
    /// kill can hurt.
    fn judge(self, volume: &Path, chance: &mut Chance) -> SledLog {
        let opened = SledLog::open(volume, Options::VIRTUAL_KUBELET, event(1).recorded_at).unwrap();
        let fresh = opened.how == Opening::Fresh && self.acknowledged == 0;
        assert!(opened.how == Opening::Whole || fresh, "{:?} after {}", opened.how, self.acknowledged);
        let log = opened.log;
        let last = log.last().map_or(0, |last| last.0);
        assert!(
            (self.acknowledged..=self.acknowledged + BATCH).contains(&last),
            "{last} of {}",
            self.acknowledged
        );
        let from = if chance.below(40) == 0 { 0 } else { self.acknowledged.saturating_sub(200) };
        // History above the window may be gone.
        let from = log.statistics().oldest.map_or(1, |oldest| oldest.0).max(from);
        let read = log.read(Seq(from), usize::MAX).unwrap();
        let expected: Vec<Envelope> = (from..=last).map(event).collect();
        assert!(read == expected, "{} events from {from} on, and not {}", read.len(), expected.len());
        let kept = log.snapshot().unwrap();
        assert!(kept.as_ref().map_or(0, |kept| kept.at.0) >= self.kept);
        assert_eq!(kept, kept.as_ref().map(|kept| snapshot(kept.at.0)));
        assert_eq!(log.first().0, kept.map_or(1, |kept| kept.at.0 + 1));
        log
    }
}

fn told(name: &str) -> u64 {
    std::env::var(name).unwrap().parse().unwrap()
}

/// Judges; then appends batches, keeps snapshots and trims, for ever; says each position after it was acknowledged.
pub(crate) fn append_until_killed(volume: &Path, seed: u64) {
    let mut chance = Chance(seed);
    say("starts");
    let known = Known { acknowledged: told(ACKNOWLEDGED), kept: told(KEPT), generation: 0 };
    let mut log = known.judge(volume, &mut chance);
    say(&format!("found {}", log.next().0 - 1));
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

/// Kills processes of one volume, one after the other.
fn kill_again_and_again(kills: u64, seed: u64) -> Known {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = Chance(seed);
    let mut known = Known::default();
    for kill in 0..kills {
        let mut command = command("append", dir.path(), chance.below(u64::MAX));
        command.env(ACKNOWLEDGED, known.acknowledged.to_string()).env(KEPT, known.kept.to_string());
        let mut child = Running::start(command);
        for _ in 0..=chance.below(30) {
            let line = child.hear();
            known.hear(&line.unwrap_or_else(|| panic!("child {kill} of seed {seed} found what must not be")));
        }
        child.kill().iter().for_each(|line| known.hear(line));
    }
    drop(known.judge(dir.path(), &mut Chance(0)));
    known
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let kills = rounds(200, 10_000) / 2;
    // Two volumes at a time, because a child mostly waits for its disk.
    let volumes: Vec<Known> = std::thread::scope(|scope| {
        let lanes: Vec<_> =
            (1..=2).map(|seed| scope.spawn(move || kill_again_and_again(kills, seed))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    for known in &volumes {
        println!("{kills} kills, {} events, generation {}", known.acknowledged, known.generation);
    }
    assert!(volumes.iter().all(|known| known.generation > 1), "no rotation was met");
}
