//! What goes out, and only when it is durable: batches to the log, commands, words to senders and views.

use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{BATCH_EVENTS, Batch, Machine, Moment, Remark, Tally};
use liqo_events::Event;
use tokio::time::Instant;

use super::{GATHER, WriterTask};
use crate::{Actuator, Published};

/// When the lease may have ended without word of it, the commands that wait are tried again after this.
const WITHHELD: Duration = Duration::from_secs(1);

impl<M: Machine, A: Actuator> WriterTask<M, A> {
    pub(super) fn durable(&mut self, batch: &Batch) {
        self.parts.writer.durable(batch.last);
        for envelope in &batch.envelopes {
            let kind = Event::kind_name(envelope.kind).unwrap_or("unknown");
            let span = tracing::debug_span!("event", seq = envelope.seq.0, kind);
            span.in_scope(|| tracing::debug!(caused_by = envelope.caused_by.map(|seq| seq.0), "durable"));
            if self.parts.senders.tail.receiver_count() > 0 {
                // Nobody may listen any more by now.
                drop(self.parts.senders.tail.send(Arc::new(envelope.clone())));
            }
        }
        self.dispatch_at = Some(Instant::now());
    }

    /// Gives the log its next work, when it has none.
    pub(super) fn feed_log(&mut self) {
        if !self.parts.journal.is_idle() || self.parts.journal.follow_up() {
            return;
        }
        let due = self.is_batch_due();
        if let Some(question) = self.question.take_if(|_| !due || !self.answered) {
            self.answered = true;
            return self.parts.journal.answer(question);
        }
        let now = self.parts.clocks.now();
        if (due || self.parts.writer.pending() == 0)
            && let Some(batch) = self.parts.writer.cut(now)
        {
            self.append(batch, now);
        }
    }

    pub(super) fn append(&mut self, batch: Batch, now: Moment) {
        self.answered = false;
        self.gathering = None;
        self.parts.journal.append(batch, now.wall);
    }

    fn is_batch_due(&self) -> bool {
        let gathered = self.gathering.is_some_and(|began| began.elapsed() >= GATHER);
        let pending = self.parts.writer.pending();
        gathered || pending >= BATCH_EVENTS || (pending > 0 && !self.reads.is_empty())
    }

    /// Starts the commands that may leave now.
    pub(super) fn let_out(&mut self) {
        let now = Instant::now();
        if self.dispatch_at.take_if(|at| *at <= now).is_none() || self.stopping {
            return;
        }
        for dispatch in self.parts.writer.dispatch() {
            if self.parts.clocks.may_act() {
                self.parts.outbox.start(dispatch);
            } else {
                self.parts.metrics.withheld();
                self.parts.writer.give_back(dispatch.command.id);
                self.dispatch_at = Some(now + WITHHELD);
            }
        }
    }

    /// Lets those look who wait for a state that is durable.
    pub(super) fn serve_reads(&mut self) {
        if self.parts.writer.durable_seq() == self.parts.writer.last() {
            let published = self.published();
            self.reads.drain(..).for_each(|read| read(self.parts.writer.state(), published));
        }
    }

    /// Tells senders what became durable.
    pub(super) fn acknowledge(&mut self) {
        let durable = self.parts.writer.durable_seq();
        while let Some((seq, sender)) = self.senders.pop_front_if(|(seq, _)| *seq <= durable) {
            // Who sent it may have gone, and then nobody has to be told.
            let _told = sender.send(seq).is_ok();
        }
    }

    fn published(&self) -> Published {
        let leadership = self.parts.writer.leadership();
        let seq = self.parts.writer.durable_seq();
        Published { seq, epoch: leadership.epoch(), live: leadership.is_live() }
    }

    /// Tells views and metrics what is new.
    pub(super) fn report(&mut self) {
        let published = self.published();
        let metrics = &self.parts.metrics;
        self.parts.senders.publish.send_if_modified(|known| {
            let changed = *known != published;
            *known = published;
            changed
        });
        metrics.role(published.epoch, published.live);
        metrics.in_flight(self.parts.writer.in_flight());
        let tally = self.parts.writer.take_tally();
        if tally == Tally::default() {
            return;
        }
        metrics.tally(&tally);
        tally.remarks.into_iter().for_each(log);
    }
}

/// An error is logged once, where it is handled.
fn log(remark: Remark) {
    match remark {
        Remark::Oversized { object, bytes } => {
            tracing::warn!(%object, bytes, "an object is too large to be looked at; make it smaller");
        }
        Remark::Unrecordable { event, reason } => {
            tracing::error!(event, reason, "an event cannot be recorded; this is a fault of Liqo");
        }
        Remark::NotObserved { event } => {
            tracing::error!(event, "an adapter observed what is no observation; this is a fault of Liqo");
        }
        Remark::DecisionsCut { seq } => {
            tracing::error!(%seq, "a plan was cut short and is made again in a minute; this is a fault of Liqo");
        }
    }
}
