//! What comes in: inputs, ends of commands, time.

use liqo_domain::{Disposition, Input, Machine, Outcome};
use tokio::time::Instant;

use super::WriterTask;
use crate::inbox::Delivery;
use crate::outbox::Ended;
use crate::{Actuator, EngineError};

/// A command that failed this often has failed for half a minute: a human should look, once.
const ATTEMPTS_UNTIL_NOTED: u32 = 7;

impl<M: Machine, A: Actuator> WriterTask<M, A> {
    pub(super) fn receive(&mut self, delivery: Delivery) {
        self.parts.metrics.inbox(self.parts.receivers.deliveries.len());
        self.take_in(delivery.input);
        if let Some(sender) = delivery.durable {
            self.senders.push_back((self.parts.writer.last(), sender));
        }
    }

    pub(super) fn take_in(&mut self, input: Input) {
        let now = self.parts.clocks.now();
        if matches!(input, Input::GoLive { .. }) {
            // It may let commands out without adding an event.
            self.dispatch_at = Some(Instant::now());
        }
        let began = std::time::Instant::now();
        self.parts.writer.accept(input, now);
        self.parts.metrics.decided(began.elapsed());
        self.gather();
        if !self.parts.writer.leadership().is_leader() {
            self.parts.outbox.break_off();
        }
    }

    pub(super) fn tick(&mut self) {
        if self.is_collecting() {
            let now = self.parts.clocks.now();
            self.parts.writer.tick(now);
            self.gather();
        }
        if self.parts.journal.begin_at().is_some_and(|at| at <= Instant::now()) {
            match self.parts.writer.checkpoint(self.parts.clocks.now()) {
                Some(checkpoint) => self.parts.journal.begin(checkpoint),
                None => self.parts.journal.begin_later(),
            }
        }
        if self.grace.take_if(|at| *at <= Instant::now()).is_some() {
            self.parts.outbox.break_off();
        }
    }

    fn gather(&mut self) {
        if self.parts.writer.pending() > 0 {
            self.gathering.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn finish(&mut self, ended: Ended) {
        let before = self.parts.writer.last();
        let name = ended.outcome.as_ref().map_or("broken_off", Outcome::name);
        self.parts.metrics.ended(ended.effect, name);
        match ended.outcome {
            None => self.parts.writer.give_back(ended.id),
            Some(outcome) => {
                if let Outcome::Failed { disposition, error } = &outcome {
                    self.note_failure(*disposition, error, (ended.effect, &ended.slot, ended.attempt));
                }
                let now = self.parts.clocks.now();
                self.parts.writer.finish(ended.id, outcome, now);
                self.gather();
            }
        }
        if self.parts.writer.last() == before {
            // No batch will follow that lets out what had to wait for this one.
            self.dispatch_at = Some(Instant::now());
        }
    }

    fn note_failure(&mut self, disposition: Disposition, error: &str, command: (&'static str, &str, u32)) {
        let (effect, slot, attempt) = command;
        match disposition {
            Disposition::Retry { .. } if attempt == ATTEMPTS_UNTIL_NOTED => {
                tracing::warn!(effect, slot, attempt, error, "a command keeps failing; it is tried on");
            }
            Disposition::Retry { .. } => tracing::debug!(effect, slot, attempt, error, "a command failed"),
            Disposition::Park => {
                tracing::warn!(effect, slot, error, "a command failed and waits until its object changes");
            }
            Disposition::Fatal => {
                let (slot, reason) = (slot.to_owned(), error.to_owned());
                self.failure = Some(EngineError::Act { effect, slot, reason });
            }
        }
    }
}
