//! A model of the volume with the log: what is durable survives a crash, what is being written may survive in part.

use liqo_domain::{Batch, Checkpoint, LiqoMachine, Machine, State, Writer};
use liqo_events::{Envelope, Seq};
use liqo_log::{EventLog, MemoryLimits, MemoryLog, Retention, Snapshot};

use crate::invariants::{Broken, Checked, ensure};

/// The volume of one process.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    log: MemoryLog,
    /// Everything that became durable in this generation of the log, whatever retention dropped.
    written: Vec<Envelope>,
    /// The state that the durable events give, folded from their bytes one by one.
    replica: State,
}

/// What a process finds when it starts.
pub(crate) struct Found {
    pub(crate) writer: Writer<LiqoMachine>,
    pub(crate) is_empty: bool,
}

impl Disk {
    /// The last durable position.
    pub(crate) fn last(&self) -> Seq {
        self.log.next().0.checked_sub(1).map_or(Seq::default(), Seq)
    }

    /// Events of this generation, the oldest first.
    pub(crate) fn written(&self) -> &[Envelope] {
        &self.written
    }

    /// The state that the durable events give.
    pub(crate) fn replica(&self) -> &State {
        &self.replica
    }

    /// Makes the first `count` events of a batch durable.
    pub(crate) fn append(&mut self, envelopes: &[Envelope]) -> Checked {
        let last = self.last();
        for envelope in envelopes {
            ensure(envelope.seq > last, "sequences_have_no_gap_and_are_never_reused", || {
                format!("event {} is appended after {last} became durable", envelope.seq)
            })?;
        }
        self.log
            .append(envelopes)
            .map_err(|error| Broken::new("sequences_have_no_gap_and_are_never_reused", error.to_string()))?;
        for envelope in envelopes {
            let copy = Envelope::from_bytes(&envelope.to_bytes())
                .map_err(|error| Broken::new("what_is_written_can_be_read", error.to_string()))?;
            let recorded =
                copy.open().map_err(|error| Broken::new("what_is_written_can_be_read", error.to_string()))?;
            LiqoMachine::evolve(&mut self.replica, &recorded);
            ensure(self.replica.digest() == envelope.state, "a_replay_gives_the_recorded_states", || {
                format!("after {} ({})", envelope.seq, recorded.event.name())
            })?;
            self.written.push(copy);
        }
        Ok(())
    }

    /// Keeps a checkpoint whose events are all durable.
    pub(crate) fn keep(&mut self, checkpoint: &Checkpoint) -> Checked {
        let folded = fold(checkpoint)?;
        ensure(folded.digest() == checkpoint.digest, "a_snapshot_gives_the_state_that_it_is_of", || {
            format!("at {}: {folded:?}", checkpoint.at)
        })?;
        let events = checkpoint.events.clone();
        let snapshot = Snapshot::new(checkpoint.at, checkpoint.recorded_at, checkpoint.digest, events);
        self.log
            .keep(&snapshot)
            .and_then(|()| self.log.collect(checkpoint.recorded_at))
            .map_err(|error| Broken::new("a_snapshot_can_be_kept", error.to_string()))
    }

    /// The process died while a batch was being written: none of it survives, or the first events of it.
    pub(crate) fn tear(&mut self, batch: &Batch, survivors: usize) -> Checked {
        self.append(&batch.envelopes[..survivors.min(batch.envelopes.len())])
    }

    /// Begins a new generation with the state as it is now.
    pub(crate) fn begin_anew(&mut self, checkpoint: &Checkpoint) -> Checked {
        self.log = MemoryLog::new(checkpoint.at.next(), Retention::default(), MemoryLimits::default());
        self.written.clear();
        self.replica = fold(checkpoint)?;
        self.keep(checkpoint)
    }

    /// The volume is gone, or was put aside.
    pub(crate) fn wipe(&mut self) {
        *self = Self::default();
    }

    /// Snapshot and tail, as a process reads them. `forget` events at the end are not seen, which is a planted fault.
    pub(crate) fn open(&self, forget: usize) -> Checked<Found> {
        let fail = |error: String| Broken::new("what_is_written_can_be_read", error);
        let snapshot = self.log.snapshot().map_err(|error| fail(error.to_string()))?;
        let mut tail =
            self.log.read(self.log.first(), usize::MAX).map_err(|error| fail(error.to_string()))?;
        tail.truncate(tail.len().saturating_sub(forget));
        let is_empty = snapshot.is_none() && tail.is_empty();
        let mut writer = match snapshot {
            Some(Snapshot { at, recorded_at, digest, events, .. }) => {
                let checkpoint = Checkpoint { at, recorded_at, digest, events };
                Writer::from_checkpoint(checkpoint).map_err(|error| fail(error.to_string()))?
            }
            None => Writer::default(),
        };
        for envelope in &tail {
            let recorded = envelope.open().map_err(|error| fail(error.to_string()))?;
            writer.replay(recorded, envelope.state).map_err(|expected| {
                Broken::new(
                    "sequences_have_no_gap_and_are_never_reused",
                    format!("{} was read where {expected} is expected", envelope.seq),
                )
            })?;
        }
        Ok(Found { writer, is_empty })
    }
}

/// The state that the events of a checkpoint give.
fn fold(checkpoint: &Checkpoint) -> Checked<State> {
    let mut folded = State::default();
    for recorded in checkpoint.opened() {
        let recorded =
            recorded.map_err(|error| Broken::new("what_is_written_can_be_read", error.to_string()))?;
        LiqoMachine::evolve(&mut folded, &recorded);
    }
    Ok(folded)
}
