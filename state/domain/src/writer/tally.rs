//! What the writer counted, and what it noticed that should not be.

use liqo_events::Seq;
use liqo_model::ObjectKey;

/// Remarks kept until they are taken. More of them at once are one fault many times, and are counted only.
const REMARKS: usize = 32;

/// Counts since they were last taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Observations that were recorded.
    pub news: u64,
    /// Observations that said nothing new.
    pub unchanged: u64,
    /// Observations that a later one of the same object stands for.
    pub coalesced: u64,
    /// Deadlines that passed.
    pub deadlines_fired: u64,
    /// Objects whose projection was too large for a record.
    pub oversized: u64,
    /// Events that could not be recorded or were not the sender's to send.
    pub refused: u64,
    /// Inputs after which the machine wanted more than it may at once.
    pub decisions_cut: u64,
    /// Outcomes that came after the lease was lost. The command stays in the outbox and is looked at again.
    pub outcomes_late: u64,
    /// Remarks to be logged once each, at most 32.
    pub remarks: Vec<Remark>,
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// An object is too large to be looked at; it is recorded as such.
    Oversized {
        /// The object.
        object: ObjectKey,
        /// Bytes of its projection.
        bytes: u64,
    },
    /// An event cannot be recorded, so it did not happen. A fault of this program.
    Unrecordable {
        /// Name of the event's kind, with its command's target if it has one.
        event: String,
        /// What the codec said.
        reason: String,
    },
    /// A sender observed what is no observation. A fault of this program.
    NotObserved {
        /// Name of the event's kind.
        event: &'static str,
    },
    /// The machine wanted more after one event than it may at once; the rest is planned anew in a minute.
    DecisionsCut {
        /// The event.
        seq: Seq,
    },
}

impl Tally {
    pub(super) fn remark(&mut self, remark: Remark) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(remark);
        }
    }
}
