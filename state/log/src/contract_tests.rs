//! The suite that every log passes: the promises of the trait one by one, and a model under random use.

use std::ops::RangeInclusive;
use std::time::Duration;

use liqo_events::{
    CommandId, CommandSuperseded, Envelope, Event, MAX_PAYLOAD, Recorded, Rejected, Seq, StateDigest,
    UnixMillis,
};
use liqo_model::{Kind, ObjectKey, Uid};
use proptest::prelude::*;

use crate::{EventLog, LogError, MemoryLimits, MemoryLog, Opening, Options, Retention, SledLog, Snapshot};

const HOUR: i64 = 60 * 60 * 1000;

/// An ordinary event whose record has about `bytes`; one a second.
pub(crate) fn event(seq: u64, bytes: usize) -> Envelope {
    let reason = char::from(b'a' + u8::try_from(seq % 26).unwrap()).to_string().repeat(bytes);
    sealed(seq, CommandSuperseded { id: CommandId::default(), reason }.into())
}

/// Ordinary events.
pub(crate) fn events(seqs: RangeInclusive<u64>, bytes: usize) -> Vec<Envelope> {
    seqs.map(|seq| event(seq, bytes)).collect()
}

/// A choice, which is kept for long.
pub(crate) fn choice(seq: u64, bytes: usize) -> Envelope {
    let object = ObjectKey::local_cluster_scoped(Kind::Node, "n");
    sealed(seq, Rejected { object, uid: Uid::default(), reason: "r".repeat(bytes) }.into())
}

fn sealed(seq: u64, event: Event) -> Envelope {
    let recorded_at = UnixMillis(i64::try_from(seq).unwrap() * 1000);
    let caused_by = seq.checked_sub(1).filter(|cause| *cause > 0).map(Seq);
    Envelope::seal(&Recorded { seq: Seq(seq), recorded_at, caused_by, event }, StateDigest(seq), None)
        .unwrap()
}

pub(crate) fn snapshot(at: u64, count: u64) -> Snapshot {
    let recorded_at = UnixMillis(i64::try_from(at).unwrap() * 1000);
    Snapshot::new(Seq(at), recorded_at, StateDigest(at * 3), events(1..=count, 300))
}

/// Makes logs, and opens them again.
trait Bench {
    type Log: EventLog;

    fn begin(&mut self, retention: Retention) -> Self::Log;

    fn reopen(&mut self, log: Self::Log) -> Self::Log;
}

struct InMemory;

impl Bench for InMemory {
    type Log = MemoryLog;

    fn begin(&mut self, retention: Retention) -> MemoryLog {
        MemoryLog::new(Seq::FIRST, retention, MemoryLimits { events: usize::MAX, bytes: u64::MAX })
    }

    fn reopen(&mut self, log: MemoryLog) -> MemoryLog {
        log
    }
}

struct OnDisk {
    dir: tempfile::TempDir,
    options: Options,
}

impl OnDisk {
    fn new() -> Self {
        let options = Options { call_deadline: Duration::from_secs(300), ..Options::VIRTUAL_KUBELET };
        Self { dir: tempfile::tempdir().unwrap(), options }
    }

    fn open(&self, expected: &Opening) -> SledLog {
        let opened = SledLog::open(self.dir.path(), self.options, UnixMillis(0)).unwrap();
        assert_eq!(&opened.how, expected);
        opened.log
    }
}

impl Bench for OnDisk {
    type Log = SledLog;

    fn begin(&mut self, retention: Retention) -> SledLog {
        self.options.retention = retention;
        self.open(&Opening::Fresh)
    }

    fn reopen(&mut self, log: SledLog) -> SledLog {
        drop(log);
        self.open(&Opening::Whole)
    }
}

fn all(log: &impl EventLog) -> Vec<Envelope> {
    log.read(Seq::default(), usize::MAX).unwrap()
}

fn positions(events: &[Envelope]) -> Vec<u64> {
    events.iter().map(|envelope| envelope.seq.0).collect()
}

fn an_empty_log_is_at_its_beginning<B: Bench>(mut bench: B) {
    let log = bench.begin(Retention::CONTROLLER);
    let log = bench.reopen(log);
    assert_eq!((log.first(), log.last(), log.next()), (Seq(1), None, Seq(1)));
    assert_eq!((all(&log), log.snapshot().unwrap()), (vec![], None));
    assert_eq!(log.statistics().oldest, None);
}

fn what_was_appended_is_read_after_a_restart<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    let given = events(1..=700, 100);
    for batch in [&given[..1], &given[1..3], &given[3..3], &given[3..259], &given[259..]] {
        log.append(batch).unwrap();
    }
    assert_eq!(all(&log), given);
    let statistics = log.statistics();
    assert_eq!((statistics.appended_events, statistics.oldest), (700, Some(Seq(1))));
    let mut log = bench.reopen(log);
    assert_eq!((all(&log), log.first(), log.last(), log.next()), (given, Seq(1), Some(Seq(700)), Seq(701)));
    log.append(&events(701..=702, 9)).unwrap();
    assert_eq!(positions(&log.read(Seq(700), 99).unwrap()), [700, 701, 702]);
}

fn reading_keeps_to_its_limit_wherever_it_begins<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    let given = events(1..=300, 700);
    log.append(&given).unwrap();
    for (from, limit) in [(0, 5), (1, 1), (40, 50), (45, 45), (90, 300), (300, 1), (301, 5), (900, 1), (7, 0)]
    {
        let expected: Vec<u64> = (1..=300).filter(|seq| *seq >= from).take(limit).collect();
        assert_eq!(positions(&log.read(Seq(from), limit).unwrap()), expected, "{limit} from {from}");
    }
    let mut paged = Vec::new();
    while let Some(page) =
        Some(log.read(Seq(paged.len() as u64 + 1), 37).unwrap()).filter(|page| !page.is_empty())
    {
        paged.extend(page);
    }
    assert_eq!(paged, given);
}

fn what_does_not_follow_is_refused_and_nothing_written<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    log.append(&events(1..=5, 10)).unwrap();
    for (batch, expected, found) in [
        (events(7..=8, 10), 6, 7),
        (events(5..=6, 10), 6, 5),
        (vec![event(6, 1), event(8, 1)], 7, 8),
        (vec![event(6, 1), event(6, 1)], 7, 6),
    ] {
        let refused = log.append(&batch);
        assert!(
            matches!(refused, Err(LogError::OutOfOrder { expected: e, found: f, .. }) if (e.0, f.0) == (expected, found))
        );
    }
    let mut large = event(7, 10);
    large.payload = vec![0; MAX_PAYLOAD + 1].into();
    assert!(matches!(log.append(&[event(6, 1), large]), Err(LogError::TooLarge { seq: Seq(7), .. })));
    for at in [6, 7, 900] {
        assert!(
            matches!(log.keep(&snapshot(at, 3)), Err(LogError::OutOfOrder { found, .. }) if found == Seq(at))
        );
    }
    log.append(&[event(6, 10)]).unwrap();
    let log = bench.reopen(log);
    assert_eq!((all(&log), log.snapshot().unwrap()), (events(1..=6, 10), None));
}

fn records_of_every_size_come_back<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    let sizes = [0, 1, 1000, 15_000, 16_000, 31_000, 31_600, 31_650, 31_700, 5];
    let given: Vec<Envelope> = (1..).zip(sizes).map(|(seq, bytes)| event(seq, bytes)).collect();
    log.append(&given).unwrap();
    let more: Vec<Envelope> = (11..=60).map(|seq| event(seq, 31_600)).collect();
    log.append(&more).unwrap();
    let log = bench.reopen(log);
    assert_eq!(all(&log), [given, more].concat());
}

fn the_newest_snapshot_is_kept_whole<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    log.append(&events(1..=50, 10)).unwrap();
    // From nothing to many pieces.
    for (at, count) in [(10, 0), (20, 1), (20, 90), (30, 2000), (50, 400)] {
        log.keep(&snapshot(at, count)).unwrap();
        assert_eq!(log.first(), Seq(at + 1));
        log = bench.reopen(log);
        assert_eq!(log.snapshot().unwrap(), Some(snapshot(at, count)));
    }
    assert!(matches!(log.keep(&snapshot(49, 1)), Err(LogError::OutOfOrder { .. })), "it never goes back");
    assert_eq!((log.first(), log.last(), log.next()), (Seq(51), Some(Seq(50)), Seq(51)));
    log.append(&events(51..=52, 10)).unwrap();
    let log = bench.reopen(log);
    assert_eq!((log.first(), log.last()), (Seq(51), Some(Seq(52))));
    assert_eq!(log.snapshot().unwrap(), Some(snapshot(50, 400)));
}

fn history_goes_by_age_and_choices_later<B: Bench>(mut bench: B) {
    let mut log = bench.begin(Retention::CONTROLLER);
    let given: Vec<Envelope> =
        (1..=2000).map(|seq| if seq % 100 == 0 { choice(seq, 50) } else { event(seq, 500) }).collect();
    given.chunks(250).for_each(|batch| log.append(batch).unwrap());
    log.keep(&snapshot(1500, 10)).unwrap();
    log.collect(UnixMillis(2_000_000)).unwrap();
    assert_eq!(all(&log), given, "nothing is old");
    // Three days later everything ordinary is; what is dense stays.
    log.collect(UnixMillis(72 * HOUR)).unwrap();
    let mut log = bench.reopen(log);
    let expected: Vec<u64> = (1..=2000).filter(|seq| seq % 100 == 0 || *seq > 1500).collect();
    let read = all(&log);
    assert_eq!(positions(&read), expected);
    assert!(read.iter().all(|envelope| *envelope == given[usize::try_from(envelope.seq.0).unwrap() - 1]));
    assert_eq!((log.first(), log.statistics().oldest), (Seq(1501), Some(Seq(100))));
    // Across the border, in pages.
    assert_eq!(positions(&log.read(Seq(1301), 4).unwrap()), [1400, 1500, 1501, 1502]);
    assert_eq!(positions(&log.read(Seq(1503), 2).unwrap()), [1503, 1504]);
    // Two months later choices are old, too.
    log.append(&events(2001..=2001, 10)).unwrap();
    log.append(&events(2002..=2002, 10)).unwrap();
    log.keep(&snapshot(2001, 10)).unwrap();
    log.collect(UnixMillis(60 * 24 * HOUR)).unwrap();
    let log = bench.reopen(log);
    assert_eq!((positions(&all(&log)), log.first()), (vec![2002], Seq(2002)));
    assert_eq!(log.snapshot().unwrap(), Some(snapshot(2001, 10)));
}

fn history_stays_in_its_window<B: Bench>(mut bench: B) {
    let window_bytes = 16 << 20;
    let mut log = bench.begin(Retention { window_bytes, ..Retention::CONTROLLER });
    let mut seq = 0;
    while seq < 40_000 {
        let batch: Vec<Envelope> = (seq + 1..=seq + 250)
            .map(|seq| if seq % 1000 == 0 { choice(seq, 1000) } else { event(seq, 2000) })
            .collect();
        seq += 250;
        log.append(&batch).unwrap();
        if seq % 2500 == 0 {
            log.keep(&snapshot(seq - 100, 100)).unwrap();
            log.collect(UnixMillis(i64::try_from(seq).unwrap() * 1000)).unwrap();
        }
    }
    let log = bench.reopen(log);
    let read = positions(&all(&log));
    let choices = read.iter().filter(|seq| *seq % 1000 == 0).count();
    assert_eq!(choices, 40, "choices outlive the flood");
    let bytes = log.statistics().retained_bytes;
    // What a rotation is not worth yet stays.
    assert!(bytes <= window_bytes * 3 / 2 + (9 << 20), "{bytes} bytes");
    assert!(read.len() > 6000 && read.ends_with(&[39_999, 40_000]), "{} events", read.len());
}

/// What is done to a log.
#[derive(Clone, Debug)]
enum Act {
    Append(Vec<usize>),
    Keep(u64, u64),
    Collect(u32),
    Read(u64, usize),
    Reopen,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => prop::collection::vec(prop_oneof![0..200_usize, 10_000..31_600_usize], 1..40).prop_map(Act::Append),
        2 => (any::<u64>(), 0..300_u64).prop_map(|(at, count)| Act::Keep(at, count)),
        1 => (0..200_u32).prop_map(Act::Collect),
        3 => (any::<u64>(), 0..200_usize).prop_map(|(from, limit)| Act::Read(from, limit)),
        1 => Just(Act::Reopen),
    ];
    prop::collection::vec(act, 1..25)
}

fn a_log_is_what_was_done_to_it<B: Bench>(mut bench: B, acts: Vec<Act>) {
    let mut log = bench.begin(Retention { window_bytes: 1 << 20, ..Retention::CONTROLLER });
    let mut model: Vec<Envelope> = Vec::new();
    let mut kept: Option<Snapshot> = None;
    for act in acts {
        let last = model.len() as u64;
        match act {
            Act::Append(sizes) => {
                let batch: Vec<Envelope> =
                    (last + 1..).zip(sizes).map(|(seq, bytes)| event(seq, bytes)).collect();
                log.append(&batch).unwrap();
                model.extend(batch);
            }
            Act::Keep(at, count) => {
                let low = kept.as_ref().map_or(0, |kept| kept.at.0);
                let made = snapshot(low + at % (last - low + 1), count);
                log.keep(&made).unwrap();
                kept = Some(made);
            }
            Act::Collect(hours) => log.collect(UnixMillis(i64::from(hours) * HOUR)).unwrap(),
            Act::Read(from, limit) => {
                let from = Seq(from % (last + 3));
                let read = log.read(from, limit).unwrap();
                assert!(read.len() <= limit && read.iter().all(|envelope| envelope.seq >= from));
                assert!(
                    read.iter()
                        .all(|envelope| *envelope == model[usize::try_from(envelope.seq.0).unwrap() - 1])
                );
                assert!(read.is_sorted_by(|a, b| a.seq < b.seq));
            }
            Act::Reopen => log = bench.reopen(log),
        }
        let first = kept.as_ref().map_or(1, |kept| kept.at.0 + 1);
        assert_eq!((log.first(), log.next()), (Seq(first), Seq(model.len() as u64 + 1)));
        let dense = log.read(Seq(first), usize::MAX).unwrap();
        assert_eq!(dense, model[usize::try_from(first).unwrap() - 1..]);
        assert_eq!(log.snapshot().unwrap(), kept);
    }
}

macro_rules! suite {
    ($name:ident, $bench:expr, $cases:literal, [$($promise:ident),* $(,)?]) => {
        mod $name {
            use super::*;

            $(#[test]
            fn $promise() {
                super::$promise($bench);
            })*

            proptest! {
                #![proptest_config(ProptestConfig { cases: $cases, ..ProptestConfig::default() })]
                #[test]
                fn a_log_is_what_was_done_to_it(acts in acts()) {
                    super::a_log_is_what_was_done_to_it($bench, acts);
                }
            }
        }
    };
}

suite!(
    memory,
    InMemory,
    256,
    [
        an_empty_log_is_at_its_beginning,
        what_was_appended_is_read_after_a_restart,
        reading_keeps_to_its_limit_wherever_it_begins,
        what_does_not_follow_is_refused_and_nothing_written,
        records_of_every_size_come_back,
        the_newest_snapshot_is_kept_whole,
        history_goes_by_age_and_choices_later,
        history_stays_in_its_window,
    ]
);
suite!(
    sled,
    OnDisk::new(),
    24,
    [
        an_empty_log_is_at_its_beginning,
        what_was_appended_is_read_after_a_restart,
        reading_keeps_to_its_limit_wherever_it_begins,
        what_does_not_follow_is_refused_and_nothing_written,
        records_of_every_size_come_back,
        the_newest_snapshot_is_kept_whole,
        history_goes_by_age_and_choices_later,
        history_stays_in_its_window,
    ]
);

#[test]
fn memory_forgets_the_oldest_above_its_limits() {
    let limits = MemoryLimits { events: 10, bytes: u64::MAX };
    let mut log = MemoryLog::new(Seq(5), Retention::CONTROLLER, limits);
    log.append(&events(5..=30, 10)).unwrap();
    assert_eq!(positions(&all(&log)), (21..=30).collect::<Vec<u64>>());
    assert_eq!((log.first(), log.last(), log.statistics().dropped_events), (Seq(21), Some(Seq(30)), 16));
}
