//! The state after a restart: a checkpoint and the events after it, folded and never decided on.

use liqo_events::{DecodeError, Recorded, Seq, StateDigest};

use super::{Checkpoint, Writer};
use crate::Machine;

/// Whether the replay gave the states that were recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// It did.
    #[default]
    Equal,
    /// It did not from this event on: another build wrote the log, or a fold is not deterministic. The state is kept, and
    /// every watch has to be listed anew.
    Differs(Seq),
}

impl<M: Machine> Writer<M> {
    /// Begins with a checkpoint instead of nothing.
    ///
    /// # Errors
    ///
    /// What is wrong with the first event that cannot be read.
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Result<Self, DecodeError> {
        let mut writer = Self::default();
        // What was folded is let go of at once: the state grows as the checkpoint shrinks.
        for envelope in checkpoint.events {
            M::fold(&mut writer.state, envelope.open()?);
        }
        writer.recorded_at = checkpoint.recorded_at;
        writer.move_to(checkpoint.at);
        writer.compare(checkpoint.digest);
        Ok(writer)
    }

    /// Folds the next event of the log in. `digest` is what its envelope says of the state after it.
    ///
    /// Gives the position that was expected when the event does not follow the one before it; it was not folded in then.
    ///
    /// # Errors
    ///
    /// The expected position.
    pub fn replay(&mut self, recorded: Recorded, digest: StateDigest) -> Result<(), Seq> {
        let expected = self.last.next();
        if recorded.seq != expected {
            return Err(expected);
        }
        self.recorded_at = self.recorded_at.max(recorded.recorded_at);
        M::fold(&mut self.state, recorded);
        self.move_to(expected);
        self.compare(digest);
        self.cadence.count();
        Ok(())
    }

    /// Whether the replay gave the states that were recorded.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    fn move_to(&mut self, seq: Seq) {
        self.last = seq;
        self.durable = seq;
    }

    fn compare(&mut self, digest: StateDigest) {
        // After the first difference everything differs.
        if self.comparison == Comparison::Equal && M::digest(&self.state) != digest {
            self.comparison = Comparison::Differs(self.last);
            // So that the next restart does not find the same difference again.
            self.cadence.want();
        }
    }
}
