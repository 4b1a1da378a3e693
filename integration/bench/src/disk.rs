//! How much disk a log takes for what it keeps.

use liqo_events::{Envelope, Seq, StateDigest, UnixMillis};
use liqo_log::{EventLog as _, Options, SledLog, Snapshot};

use crate::journal::bytes_below;
use crate::process::timed;
use crate::row::{Goal, emit};
use crate::{Result, fold, say};

/// Windows of history that are written, so that almost all of it has been dropped in the end.
const WINDOWS: u64 = 5;
/// Events between two snapshots.
const SNAPSHOT_EVERY: u64 = 10_000;
/// Objects that the state has.
const OBJECTS: usize = 5_000;
/// What the store was measured to take when its segments are reused, in `state/log`'s own benchmark.
const DISK_TO_RETAINED: f64 = 2.0;

pub(crate) fn run() -> Result<()> {
    let options = Options::VIRTUAL_KUBELET;
    say("churning through windows of a log");
    let history = fold::history()?;
    let directory = tempfile::tempdir()?;
    let mut log = SledLog::open(directory.path(), options, UnixMillis(0))?.log;
    let window = options.retention.window_bytes;
    let mut peak = 0_u64;
    let (_, cost) = timed(|| {
        for event in history.chunks(256).cycle() {
            if log.statistics().appended_bytes >= WINDOWS * window {
                break;
            }
            let batch = moved(event, log.next());
            log.append(&batch)?;
            if log.next().0 % SNAPSHOT_EVERY < 256 {
                keep(&mut log, &history)?;
                peak = peak.max(log.statistics().disk_bytes);
            }
        }
        Ok(())
    })?;
    let statistics = log.statistics();
    let (retained, written) = (statistics.retained_bytes as f64, statistics.appended_bytes as f64);
    let disk = bytes_below(directory.path())? as f64;
    emit("disk: written", written / window as f64, "windows of 32 MiB", None);
    let goal = Goal::AtMost(DISK_TO_RETAINED);
    emit("disk ÷ retained, after the churn", disk / retained, "", goal);
    emit("disk at most ÷ window, with snapshots", peak as f64 / window as f64, "", None);
    emit("disk: rotations", statistics.rotations as f64, "", None);
    emit("disk: processor time of an appended event", cost.cpu * 1e6 / log.next().0 as f64, "µs", None);
    Ok(())
}

/// The events at another place in the log.
fn moved(events: &[Envelope], next: Seq) -> Vec<Envelope> {
    let at = |offset: usize| next.0 + offset as u64;
    let place = |(offset, envelope): (usize, &Envelope)| Envelope {
        seq: Seq(at(offset)),
        recorded_at: UnixMillis(at(offset) as i64),
        caused_by: None,
        ..envelope.clone()
    };
    events.iter().enumerate().map(place).collect()
}

fn keep(log: &mut SledLog, history: &[Envelope]) -> Result<()> {
    let Some(at) = log.last() else { return Ok(()) };
    let now = UnixMillis(at.0 as i64);
    let state = history.iter().take(OBJECTS).cloned().collect();
    log.keep(&Snapshot::new(at, now, StateDigest::default(), state))?;
    log.collect(now)?;
    Ok(())
}
