//! From what comes in to recorded events: no news is dropped, lists become differences, floods are held back.

use liqo_events::{
    Applied, CommandId, EncodeError, Envelope, Event, Facts, Family, Recorded, Seq, StateDigest,
};

use super::leadership::Leadership;
use super::{Input, Moment, Outcome, Remark, Writer};
use crate::Machine;

impl<M: Machine> Writer<M> {
    /// Takes an input in.
    pub fn accept(&mut self, input: Input, now: Moment) {
        self.release_expired(now);
        match input {
            Input::Observe(events) => events.into_iter().for_each(|event| self.observe(event, now)),
            Input::Listed(list) => {
                // A list is newer than all that its watch has said.
                let held = self.coalescer.release_watch(&list.watch);
                self.record_held(held, now);
                for event in M::compare(&self.state, &list) {
                    self.record_news(event, now);
                }
            }
            Input::GoLive { epoch } => self.go_live(epoch, now),
        }
    }

    /// Takes the end of a command in. Of a command that is not under way, or not wanted any more, nothing is recorded.
    ///
    /// A follower records no outcome. The command then stays in the outbox, and what it did is seen when the lease is
    /// gained again.
    pub fn finish(&mut self, id: CommandId, outcome: Outcome, now: Moment) {
        let Some(dispatch) = self.dispatcher.end(id) else { return };
        if !self.leadership.is_leader() {
            self.tally.outcomes_late += 1;
            return;
        }
        let event = outcome.into_event(&dispatch);
        if M::is_news(&self.state, &event) {
            self.record(event, now);
        }
    }

    fn observe(&mut self, event: Event, now: Moment) {
        if event.family() != Family::Observed {
            self.tally.refused += 1;
            return self.tally.remark(Remark::NotObserved { event: event.name() });
        }
        match event {
            Event::Applied(_) | Event::CursorMoved(_) => self.observe_update(event, now),
            Event::Vanished(vanished) => {
                // What was last seen of the object may be why it went, for instance that a pod had succeeded.
                let held = self.coalescer.release_object(&vanished.object);
                self.record_held(held, now);
                self.record_if_news(Event::Vanished(vanished), now);
            }
            Event::GenerationChanged(changed) => {
                let held = self.coalescer.release_cluster(&changed.cluster);
                self.record_held(held, now);
                self.record_if_news(Event::GenerationChanged(changed), now);
            }
            Event::LeaseGained(gained) => {
                // Before the event is recorded: nothing is decided in an epoch that has not gone live.
                let since = self.last.next();
                self.leadership = Leadership::Leader { epoch: gained.epoch, since };
                self.record_news(Event::LeaseGained(gained), now);
            }
            Event::LeaseLost(lost) => {
                self.leadership.lose(lost.epoch);
                self.record_if_news(Event::LeaseLost(lost), now);
            }
            other => self.record_if_news(other, now),
        }
    }

    fn observe_update(&mut self, event: Event, now: Moment) {
        let held = matches!(&event, Event::Applied(applied) if self.coalescer.holds(&applied.object));
        if !held && !M::is_news(&self.state, &event) {
            self.tally.unchanged += 1;
            return;
        }
        let room = self.coalescer.make_room(&event);
        self.record_held(room, now);
        match self.coalescer.offer(event, now.monotonic) {
            Some(event) => self.record_news(event, now),
            None => self.tally.coalesced += 1,
        }
    }

    pub(super) fn release_expired(&mut self, now: Moment) {
        let held = self.coalescer.expire(now.monotonic);
        self.record_held(held, now);
    }

    /// Records what was held back, which may have become what is known already.
    pub(super) fn record_held(&mut self, events: Vec<Event>, now: Moment) {
        for event in events {
            if M::is_news(&self.state, &event) {
                self.record(event, now);
            }
        }
    }

    fn record_if_news(&mut self, event: Event, now: Moment) {
        if M::is_news(&self.state, &event) {
            self.record_news(event, now);
        } else {
            self.tally.unchanged += 1;
        }
    }

    fn record_news(&mut self, event: Event, now: Moment) {
        self.tally.news += 1;
        self.record(event, now);
    }

    /// Records an event from outside, and everything that is decided because of it.
    pub(super) fn record(&mut self, event: Event, now: Moment) {
        if let Some(recorded) = self.append(event, None, now)
            && self.leadership.is_live()
        {
            self.decide(&recorded, now);
        }
    }

    /// Gives the event its place and folds it in. Nothing when it cannot be recorded, or says nothing after it was made
    /// small enough.
    pub(super) fn append(&mut self, event: Event, cause: Option<Seq>, now: Moment) -> Option<Recorded> {
        let recorded_at = self.recorded_at.max(now.wall);
        let mut recorded = Recorded { seq: self.last.next(), recorded_at, caused_by: cause, event };
        // The fingerprint is of the state after the event, and an event that cannot be written must not be evolved.
        let mut envelope = match Envelope::seal(&recorded, StateDigest::default(), None) {
            Ok(envelope) => envelope,
            Err(error) => {
                recorded.event = self.without_facts(recorded.event, &error)?;
                Envelope::seal(&recorded, StateDigest::default(), None)
                    .map_err(|error| self.refuse(&recorded.event, &error))
                    .ok()?
            }
        };
        M::evolve(&mut self.state, &recorded);
        if let Event::CommandIssued(issued) = &recorded.event {
            self.dispatcher.forget(issued.command.id);
        }
        envelope.state = M::digest(&self.state);
        self.last = recorded.seq;
        self.recorded_at = recorded_at;
        self.pending.push(envelope);
        self.cadence.count();
        Some(recorded)
    }

    /// An observation that is too large, with nothing but its size; nothing when that is known already, or when it is
    /// no observation of an object.
    fn without_facts(&mut self, event: Event, error: &EncodeError) -> Option<Event> {
        let Event::Applied(applied) = event else {
            self.refuse(&event, error);
            return None;
        };
        let facts = match error {
            EncodeError::TooLarge { bytes, .. } => {
                Facts::Oversized(u64::try_from(*bytes).unwrap_or(u64::MAX))
            }
            EncodeError::Refused { reason, .. } => Facts::Malformed(reason.clone()),
        };
        let event = Event::Applied(Applied { facts, ..applied });
        if !M::is_news(&self.state, &event) {
            return None;
        }
        self.tally.oversized += 1;
        if let (Event::Applied(applied), EncodeError::TooLarge { bytes, .. }) = (&event, error) {
            let bytes = u64::try_from(*bytes).unwrap_or(u64::MAX);
            self.tally.remark(Remark::Oversized { object: applied.object.clone(), bytes });
        }
        Some(event)
    }

    pub(super) fn refuse(&mut self, event: &Event, error: &EncodeError) {
        self.tally.refused += 1;
        let event = match event {
            Event::CommandIssued(issued) => format!("{} for {}", event.name(), issued.command.slot),
            _ => event.name().to_owned(),
        };
        self.tally.remark(Remark::Unrecordable { event, reason: error.to_string() });
    }
}
