//! Measures the log: `cargo run --release -p liqo-log --example append_bench -- [--seconds 40] [--dir DIR]`.
//!
//! Durable appends of events of 1 KiB, against a raw file (length, checksum, record, `fdatasync`) and the log in memory;
//! all in turns within one run, so that a slow minute of the machine spreads over all. Then replay, opening and disk
//! with a full window; 2.5 GiB of it from `--seconds 120` on. It judges nothing: compare ratios of one run, and runs of
//! one machine only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement ends where it cannot measure"
)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use liqo_events::{CommandId, CommandSuperseded, Envelope, Recorded, Seq, StateDigest, UnixMillis};
use liqo_log::{EventLog, MemoryLimits, MemoryLog, Options, Retention, SledLog, Snapshot};

const EVENT_BYTES: usize = 1024;
const BATCHES: [u64; 4] = [1, 10, 100, 256];
/// Events between two snapshots.
const SNAPSHOT_EVERY: u64 = 10_000;
/// What the log may take, by what a plain file takes.
const GOAL: f64 = 1.5;
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let (seconds, dir) = arguments();
    let scratch = dir.map_or_else(|| tempfile::tempdir().unwrap(), |dir| tempfile::tempdir_in(dir).unwrap());
    println!("appends of events of {EVENT_BYTES} B, medians in microseconds, {seconds} s for all");
    println!("batch │ raw file │     sled │ ratio ≤ {GOAL} │ memory │ sled p99 │ sled events/s");
    let share = Duration::from_secs_f64(seconds / 4.0 / 2.0);
    for batch in BATCHES {
        appends(scratch.path(), batch, share);
    }
    println!("resident after appends: {:.0} MiB", resident());
    window("virtual kubelet", scratch.path(), Options::VIRTUAL_KUBELET, 10);
    // Ten large windows are 2.5 GiB.
    let windows = if seconds < 120.0 { 2 } else { 10 };
    window("controller", scratch.path(), Options::CONTROLLER, windows);
}

fn arguments() -> (f64, Option<PathBuf>) {
    let mut seconds = 40.0;
    let mut dir = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => seconds = arguments.next().unwrap().parse().unwrap(),
            "--dir" => dir = arguments.next().map(PathBuf::from),
            other => panic!("unknown argument {other}; there are --seconds and --dir"),
        }
    }
    (seconds, dir)
}

/// An event whose record has the size that is measured.
fn event(seq: u64) -> Envelope {
    const REST: usize = 45 + 16 + 3;
    let reason = "x".repeat(EVENT_BYTES - REST);
    let recorded = Recorded {
        seq: Seq(seq),
        recorded_at: UnixMillis(i64::try_from(seq).unwrap()),
        caused_by: None,
        event: CommandSuperseded { id: CommandId([7; 16]), reason }.into(),
    };
    Envelope::seal(&recorded, StateDigest(seq), None).unwrap()
}

fn batch_after(next: Seq, size: u64) -> Vec<Envelope> {
    (next.0..next.0 + size).map(event).collect()
}

/// What the log competes with.
struct RawFile(File);

impl RawFile {
    fn append(&mut self, batch: &[Envelope]) {
        let mut bytes = Vec::new();
        for envelope in batch {
            // The record carries its checksum.
            let record = envelope.to_bytes();
            bytes.extend_from_slice(&u32::try_from(record.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(&record);
        }
        self.0.write_all(&bytes).unwrap();
        self.0.sync_data().unwrap();
    }
}

/// Appends to each log in turns, so that what else the machine does meets all of them; who begins changes each time.
/// What counts is the median of the ratios of neighbours: medians of each log alone are of different moments.
fn appends(scratch: &Path, size: u64, budget: Duration) {
    let dir = scratch.join(format!("append-{size}"));
    let mut sled = SledLog::open(&dir, Options::CONTROLLER, UnixMillis(0)).unwrap().log;
    let mut raw = RawFile(File::create(dir.join("raw")).unwrap());
    let mut memory = MemoryLog::new(Seq::FIRST, Retention::CONTROLLER, MemoryLimits::default());
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < budget {
        let batch = batch_after(sled.next(), size);
        let mut raw_then_sled = [0.0; 2];
        for which in if ratios.len() % 2 == 0 { [0, 1] } else { [1, 0] } {
            raw_then_sled[which] = match which {
                0 => timed(|| raw.append(&batch)),
                _ => timed(|| sled.append(&batch).unwrap()),
            };
        }
        times[0].push(raw_then_sled[0]);
        times[1].push(raw_then_sled[1]);
        times[2].push(timed(|| memory.append(&batch).unwrap()));
        ratios.push(raw_then_sled[1] / raw_then_sled[0]);
    }
    let [raw, sled, memory] = times.map(|times| (quantile(&times, 0.5), quantile(&times, 0.99)));
    let rate = f64::from(u32::try_from(size).unwrap()) * 1e6 / sled.0;
    let ratio = quantile(&ratios, 0.5);
    let verdict = if ratio <= GOAL { "ok" } else { "NOT" };
    println!(
        "{size:5} │ {:8.0} │ {:8.0} │ {ratio:5.2} {verdict:3} │ {:6.1} │ {:8.0} │ {rate:10.0}",
        raw.0, sled.0, memory.0, sled.1
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e6
}

/// Windows of churn with snapshots, then opening and reading.
fn window(name: &str, scratch: &Path, options: Options, windows: u64) {
    let dir = scratch.join("window");
    let events = options.retention.window_bytes * windows / u64::try_from(EVENT_BYTES).unwrap();
    let mut log = SledLog::open(&dir, options, UnixMillis(0)).unwrap().log;
    let mut worst = 0.0_f64;
    let mut peak = 0;
    let churn = timed(|| {
        while log.next().0 <= events {
            log.append(&batch_after(log.next(), 256)).unwrap();
            if log.next().0 % SNAPSHOT_EVERY < 256 {
                worst = worst.max(timed(|| keep(&mut log)));
                peak = peak.max(log.statistics().disk_bytes);
            }
        }
    });
    let statistics = log.statistics();
    let of_window = mib(statistics.disk_bytes) / mib(options.retention.window_bytes);
    println!(
        "\n{name}: {windows} windows of {:.0} MiB in {:.1} s",
        mib(options.retention.window_bytes),
        churn / 1e6
    );
    println!(
        "  disk {:.0} MiB (at most {:.0}), retained {:.0} MiB: disk ÷ retained {:.2}, ÷ window {of_window:.2}",
        mib(statistics.disk_bytes),
        mib(peak),
        mib(statistics.retained_bytes),
        mib(statistics.disk_bytes) / mib(statistics.retained_bytes),
    );
    println!("  {} rotations; longest snapshot with trim {:.0} ms", statistics.rotations, worst / 1e3);
    println!("  resident {:.0} MiB", resident());
    drop(log);
    open_and_read(&dir, options);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn keep(log: &mut SledLog) {
    let at = log.last().unwrap();
    let now = UnixMillis(i64::try_from(at.0).unwrap());
    // A state of 2 MiB.
    let state = (1..=2048).map(event).collect();
    log.keep(&Snapshot::new(at, now, StateDigest(at.0), state)).unwrap();
    log.collect(now).unwrap();
}

fn open_and_read(dir: &Path, options: Options) {
    for what in ["after the churn", "again"] {
        let mut opened = None;
        let micros = timed(|| opened = Some(SledLog::open(dir, options, UnixMillis(0)).unwrap()));
        let opened = opened.unwrap();
        println!("  open {what}: {:.0} ms, {:?}, resident {:.0} MiB", micros / 1e3, opened.how, resident());
        let log = opened.log;
        let mut from = log.statistics().oldest.unwrap();
        let mut count = 0_u32;
        let micros = timed(|| {
            loop {
                let page = log.read(from, 1000).unwrap();
                let Some(last) = page.last() else { break };
                from = last.seq.next();
                count += u32::try_from(page.len()).unwrap();
            }
        });
        println!("  replay: {count} events, {:.0} events/s", f64::from(count) * 1e6 / micros);
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}

/// Memory of this process in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
