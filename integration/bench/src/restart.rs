//! How soon a restarted engine decides again.

use crate::child::{self, Child};
use crate::journal;
use crate::row::{Goal, emit};
use crate::{Result, say};

/// Objects that are known.
pub(crate) const OBJECTS: u32 = 50_000;
/// Until it decides again.
pub(crate) const GOAL: Goal = Goal::AtMost(1.0);

pub(crate) fn run() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    say(&format!("writing the log of {OBJECTS} objects"));
    let arguments =
        journal::Arguments { log: log.clone(), objects: OBJECTS, uid: "bench".to_owned(), version: None };
    child::journal(&arguments)?;
    emit("restart: log on disk", journal::bytes_below(&log)? as f64 / 1048576.0, "MiB", None);
    say("restarting on it");
    let restarted = Child::serve(&log, None)?;
    let hello = &restarted.hello;
    emit("restart: events after the snapshot", hello.replayed as f64, "events", None);
    emit("restart, 50 000 objects: state and cursors known", hello.knows_millis / 1000.0, "s", GOAL);
    emit("restart, 50 000 objects: everything planned, decides", hello.live_millis / 1000.0, "s", GOAL);
    emit("restart: processor time until then", hello.cpu_seconds, "CPU-s", None);
    let memory = restarted.settled_memory()?;
    emit("restart: memory of an object", memory.anonymous / f64::from(OBJECTS), "KiB", None);
    Ok(())
}
