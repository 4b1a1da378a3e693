//! How fast a log becomes a state.

use std::collections::BTreeMap;

use liqo_domain::{Batch, Comparison, LiqoMachine, Machine as _, State, Writer};
use liqo_events::{Envelope, Event, Recorded, UnixMillis};
use liqo_log::{EventLog, Options, SledLog};

use crate::process::{Cost, timed};
use crate::row::{Goal, emit};
use crate::world::{Home, Scale, World};
use crate::{Result, say};

/// Pods of the history, and how often each changes: about 90 000 events.
const SCALE: Scale = Scale { pods: 10_000, updates: 7, peers: 20, namespaces: 400, offloaded: 40 };
/// Events that are read at once, as the engine does.
const PAGE: usize = 1024;
/// The best of so many is what the code takes; the rest is what else runs on the machine.
const ROUNDS: usize = 3;
const GOAL: Goal = Goal::AtLeast(250_000.0);

/// A state and the position in the log that it is of.
type Replayed = Writer<LiqoMachine>;

pub(crate) fn run() -> Result<()> {
    say("making a history");
    let envelopes = history()?;
    mix(&envelopes);
    let records: Vec<Vec<u8>> = envelopes.iter().map(Envelope::to_bytes).collect();
    let bytes: usize = records.iter().map(Vec::len).sum();
    emit("replay: bytes of an event", bytes as f64 / records.len() as f64, "B", None);
    let events = records.len() as f64;

    say("replaying it");
    let (decoded, cost) = best(|| records.iter().map(|record| decode(record)).collect::<Result<Vec<_>>>())?;
    emit("replay: decode and checksum alone", events / cost.cpu, "events/CPU-s", None);
    let (_, cost) = best(|| Ok(evolve(&decoded)))?;
    emit("replay: evolve alone", events / cost.cpu, "events/CPU-s", None);
    drop(decoded);
    let (in_memory, cost) = best(|| replay_records(&records))?;
    emit("replay from memory: decode, checksum, evolve, compare", events / cost.cpu, "events/CPU-s", GOAL);

    let directory = tempfile::tempdir()?;
    let mut log = SledLog::open(directory.path(), Options::CONTROLLER, UnixMillis(0))?.log;
    envelopes.chunks(256).try_for_each(|part| log.append(part))?;
    let (from_disk, cost) = best(|| replay_log(&log))?;
    if from_disk.state() != in_memory.state() {
        return Err("the log on disk gives another state than the one in memory".into());
    }
    emit(
        "replay from sled: read, decode, checksum, evolve, compare",
        events / cost.cpu,
        "events/CPU-s",
        GOAL,
    );
    emit("replay from sled, by the clock", events / cost.wall, "events/s", GOAL);
    Ok(())
}

/// The events of a cluster's life.
pub(crate) fn history() -> Result<Vec<Envelope>> {
    let mut envelopes = Vec::new();
    let mut sink = |batch: Batch| {
        envelopes.extend(batch.envelopes);
        Ok(())
    };
    let mut world = World::new(Home { uid: "bench".to_owned(), version: None }, &mut sink)?;
    world.live(SCALE)?;
    world.replace_pods(SCALE, 10)?;
    Ok(envelopes)
}

/// Says what the history is made of.
fn mix(envelopes: &[Envelope]) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for envelope in envelopes {
        *kinds.entry(Event::kind_name(envelope.kind).unwrap_or("unknown")).or_default() += 1;
    }
    say(&format!("{} events: {kinds:?}", envelopes.len()));
}

fn decode(record: &[u8]) -> Result<Recorded> {
    Ok(Envelope::from_bytes(record)?.open()?)
}

fn evolve(events: &[Recorded]) -> State {
    let mut state = State::default();
    events.iter().for_each(|event| LiqoMachine::evolve(&mut state, event));
    state
}

fn replay_records(records: &[Vec<u8>]) -> Result<Replayed> {
    let mut writer = Replayed::default();
    for record in records {
        fold(&mut writer, &Envelope::from_bytes(record)?)?;
    }
    finish(writer)
}

fn replay_log(log: &dyn EventLog) -> Result<Replayed> {
    let mut writer = Replayed::default();
    while writer.last().next() < log.next() {
        for envelope in log.read(writer.last().next(), PAGE)? {
            fold(&mut writer, &envelope)?;
        }
    }
    finish(writer)
}

fn fold(writer: &mut Replayed, envelope: &Envelope) -> Result<()> {
    let gap = |expected| format!("event {expected} is missing");
    Ok(writer.replay(envelope.open()?, envelope.state).map_err(gap)?)
}

fn finish(writer: Replayed) -> Result<Replayed> {
    match writer.comparison() {
        Comparison::Equal => Ok(writer),
        Comparison::Differs(seq) => Err(format!("from event {seq} on the replay gives another state").into()),
    }
}

/// The result and the least cost of some rounds.
fn best<T>(mut work: impl FnMut() -> Result<T>) -> Result<(T, Cost)> {
    let (mut result, mut least) = timed(&mut work)?;
    for _ in 1..ROUNDS {
        let (again, cost) = timed(&mut work)?;
        (result, least) = (again, Cost { wall: least.wall.min(cost.wall), cpu: least.cpu.min(cost.cpu) });
    }
    Ok((result, least))
}
