//! The writer: what comes in becomes events, events become state, and state becomes commands that may leave.
//!
//! ```text
//!  accept · finish · tick ──► events, evolved, decided on ──► cut ──► (the log) ──► durable ──► dispatch
//!                                      in memory                       on the disk            carried out
//! ```
//!
//! It is synchronous and deterministic: clocks come in as [`Moment`], the log and the actuators are the caller's. The
//! engine drives it with a real log and real clocks, the simulator with models of them. **Nothing else appends**:
//! sequence numbers are given here alone.

mod back_off;
mod checkpoints;
mod coalescer;
mod dispatcher;
mod ingest;
mod input;
mod leadership;
mod outcome;
mod plan;
mod replay;
mod tally;
mod timers;

use liqo_events::{CommandId, Envelope, Seq, StateDigest, UnixMillis};

use checkpoints::Cadence;
pub use checkpoints::{CHECKPOINT_EVENTS, CHECKPOINT_MILLIS, Checkpoint};
use coalescer::Coalescer;
pub use coalescer::{SUBJECTS, UPDATES_A_WINDOW, WINDOW_MILLIS};
use dispatcher::Dispatcher;
pub use dispatcher::{Dispatch, IN_FLIGHT};
pub use input::{Input, Moment};
pub use leadership::Leadership;
pub use outcome::{Disposition, Outcome};
pub use plan::{OUTPUTS_AT_ONCE, REPLAN_MILLIS};
pub use replay::Comparison;
pub use tally::{Remark, Tally};
use timers::Timers;

use crate::Machine;

/// Events of a batch. As many as one flush of the disk is shared by; a batch is larger when one input brings more, since
/// what was observed together is not torn apart.
pub const BATCH_EVENTS: usize = 256;

/// What is to be made durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Events that follow each other and those of the batch before; none when only the checkpoint is due.
    pub envelopes: Vec<Envelope>,
    /// The last event that the state has with this batch.
    pub last: Seq,
    /// To be kept after the events, when it is due.
    pub checkpoint: Option<Checkpoint>,
}

/// One machine with its log's position, its role and what is under way.
#[derive(Debug)]
pub struct Writer<M: Machine> {
    state: M::State,
    /// Position of the last event that the state has.
    last: Seq,
    /// When it was recorded.
    recorded_at: UnixMillis,
    /// Position of the last event that the log has.
    durable: Seq,
    /// Events that the state has and the log was not given yet.
    pending: Vec<Envelope>,
    leadership: Leadership,
    coalescer: Coalescer,
    timers: Timers,
    dispatcher: Dispatcher,
    cadence: Cadence,
    /// When everything is planned again because a plan was cut short, with the event that was to blame.
    replan: Option<(u64, Seq)>,
    comparison: Comparison,
    tally: Tally,
}

impl<M: Machine> Default for Writer<M> {
    fn default() -> Self {
        Self {
            state: M::State::default(),
            last: Seq::default(),
            recorded_at: UnixMillis::default(),
            durable: Seq::default(),
            pending: Vec::new(),
            leadership: Leadership::default(),
            coalescer: Coalescer::default(),
            timers: Timers::default(),
            dispatcher: Dispatcher::default(),
            cadence: Cadence::default(),
            replan: None,
            comparison: Comparison::Equal,
            tally: Tally::default(),
        }
    }
}

impl<M: Machine> Writer<M> {
    /// The state in memory. It may be ahead of the disk: whoever lets it out compares [`Self::last`] with
    /// [`Self::durable_seq`] first.
    pub fn state(&self) -> &M::State {
        &self.state
    }

    /// Position of the last event that the state has.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Position of the last event that is durable.
    pub fn durable_seq(&self) -> Seq {
        self.durable
    }

    /// The role of this process.
    pub fn leadership(&self) -> Leadership {
        self.leadership
    }

    /// Events that wait for [`Self::cut`].
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Commands that are under way.
    pub fn in_flight(&self) -> usize {
        self.dispatcher.count()
    }

    /// What was counted since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Gives what waits for the log, or nothing when nothing waits. Every batch must be appended, in order, and reported
    /// with [`Self::durable`]; nothing else may be appended.
    pub fn cut(&mut self, now: Moment) -> Option<Batch> {
        let due = self.cadence.is_due(now.monotonic);
        if self.pending.is_empty() && !due {
            return None;
        }
        if self.leadership.is_live() {
            self.dispatcher.note(self.last, M::ready(&self.state));
        } else {
            self.dispatcher.note(self.last, Vec::new());
        }
        let checkpoint = if due { self.checkpoint(now) } else { None };
        Some(Batch { envelopes: std::mem::take(&mut self.pending), last: self.last, checkpoint })
    }

    /// Like [`Self::cut`] at the end of the process: nothing is held back, and a checkpoint comes with it.
    pub fn close(&mut self, now: Moment) -> Option<Batch> {
        let held = self.coalescer.release_all();
        self.record_held(held, now);
        self.cadence.want();
        self.cut(now)
    }

    /// The state as it is now, written down whole. The log needs every event up to [`Self::last`] to keep it. Nothing when
    /// an event of it cannot be written, which is a fault of this program; then everything goes on, and replays get longer.
    pub fn checkpoint(&mut self, now: Moment) -> Option<Checkpoint> {
        self.cadence.taken(now.monotonic);
        let (mut events, mut refused) = (Vec::new(), None);
        M::write_down(&self.state, &mut |recorded| match Envelope::seal(
            &recorded,
            StateDigest::default(),
            None,
        ) {
            Ok(envelope) => events.push(envelope),
            Err(error) => refused = Some((recorded.event, error)),
        });
        if let Some((event, error)) = refused {
            self.refuse(&event, &error);
            return None;
        }
        let (at, recorded_at, digest) = (self.last, self.recorded_at, M::digest(&self.state));
        Some(Checkpoint { at, recorded_at, digest, events })
    }

    /// Every event up to `seq` is durable.
    pub fn durable(&mut self, seq: Seq) {
        self.durable = self.durable.max(seq.min(self.last));
        self.dispatcher.durable(self.durable);
    }

    /// Commands that leave now. Each must end with [`Self::finish`] or [`Self::give_back`]. Empty unless live.
    pub fn dispatch(&mut self) -> Vec<Dispatch> {
        if !self.leadership.is_live() || self.dispatcher.is_full() {
            return Vec::new();
        }
        let settled = self.durable == self.last;
        self.dispatcher.leave(M::ready(&self.state), settled)
    }

    /// The command did not leave after all, or was broken off; it is still to be done.
    pub fn give_back(&mut self, id: CommandId) {
        self.dispatcher.give_back(id);
    }

    /// When [`Self::tick`] has something to do, on the monotonic clock.
    pub fn next_tick(&mut self, now: Moment) -> Option<u64> {
        let deadline = self.next_deadline(now).map(|(_, due)| due);
        let replan = self.replan.map(|(at, _)| at);
        [deadline, self.coalescer.next_release(), replan].into_iter().flatten().min()
    }

    /// When [`Self::cut`] gives a checkpoint although no event waits, on the monotonic clock.
    pub fn next_checkpoint(&self) -> Option<u64> {
        self.cadence.due_at()
    }
}
