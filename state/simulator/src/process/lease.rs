//! The lease of the control plane, from the side of one process.
//!
//! A holder stops when it could not renew for 13 s after it last asked; another takes the lease when it saw no change of
//! it for 15 s. Requests that are under way longer than that count only for the version that they were made for.

use liqo_domain::Input;
use liqo_events::{Event, LeaseGained, LeaseLost};

use super::{Actor, Message};
use crate::api::{LeaseRecord, Refusal};
use crate::invariants::Checked;
use crate::queue::Step;
use crate::settings::{Fault, Planted};
use crate::world::World;

/// After so long without a change the lease is free.
const DURATION: u64 = 15_000;
/// So long after it last asked, a holder stops.
const RENEW_DEADLINE: u64 = 13_000;
/// So often it asks.
const PERIOD: u64 = 5_000;

/// How far clocks may be apart, for who judges by them.
const SKEW: u64 = 300_000;

/// What a process knows of the lease.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeaseClient {
    /// The epoch that it holds.
    pub(crate) epoch: Option<u64>,
    /// Until when that is certain.
    pub(crate) valid_until: u64,
    /// The epoch that the log says can be gone on from.
    from_log: Option<u64>,
    /// The lease as it was last seen, whole since a version can come again in a cluster that was built anew, and when it
    /// was first seen so.
    seen: Option<(LeaseRecord, u64)>,
}

impl LeaseClient {
    pub(super) fn new(from_log: Option<u64>) -> Self {
        Self { from_log, ..Self::default() }
    }
}

impl World {
    /// Whether the process certainly holds the lease now.
    pub(crate) fn may_act(&mut self, actor: Actor) -> bool {
        let now = self.now;
        let careless = self.is(Planted::FollowerActs);
        self.running(actor).is_some_and(|running| careless || now < running.lease.valid_until)
    }

    /// Renews, takes or waits for the lease.
    pub(crate) fn lease(&mut self, actor: Actor) -> Checked {
        self.plan(PERIOD - 500, PERIOD, Step::Lease(actor));
        let now = self.now;
        let asked_at = now.saturating_sub(self.chance.between(1, 80));
        if let Some(epoch) = self.running(actor).and_then(|running| running.lease.epoch)
            && self.running(actor).is_some_and(|running| running.lease.valid_until <= now)
        {
            self.lose_lease(actor, epoch);
            return Ok(());
        }
        let Ok(answered) = self.gate(actor.process.cluster) else { return Ok(()) };
        self.hear_witness(actor);
        let record = self.api(actor.process.cluster).lease.clone();
        // The witness may have ended the term.
        let held = self.running(actor).and_then(|running| running.lease.epoch);
        match held {
            Some(epoch) => {
                self.renew(actor, epoch, record, (asked_at, answered));
                Ok(())
            }
            None => self.try_to_take(actor, record, (asked_at, answered)),
        }
    }

    fn renew(
        &mut self,
        actor: Actor,
        epoch: u64,
        record: Option<LeaseRecord>,
        (asked_at, answered): (u64, bool),
    ) {
        let pod = self.process(actor.process).pod.clone();
        let Some(record) = record.filter(|record| record.holder == pod && record.epoch == epoch) else {
            return self.lose_lease(actor, epoch);
        };
        if let Ok(version) = self.put_lease(actor, Some(record.version), epoch)
            && answered
            && let Some(running) = self.running(actor)
        {
            running.lives.at(actor.process.cluster).wrote(epoch, version);
            running.lease.valid_until = asked_at + RENEW_DEADLINE;
        }
    }

    fn try_to_take(
        &mut self,
        actor: Actor,
        record: Option<LeaseRecord>,
        (asked_at, answered): (u64, bool),
    ) -> Checked {
        let (now, wall) = (self.now, self.clock(actor.process));
        let pod = self.process(actor.process).pod.clone();
        let careless = self.is(Planted::AnyEpochContinued);
        let clock = self.is(Planted::LeaseJudgedByTheClock);
        let Some(running) = self.running(actor) else { return Ok(()) };
        let own = record.as_ref().is_some_and(|record| record.holder == pod);
        let unbroken = record.as_ref().is_some_and(|record| wall.since(record.renewed_at) < DURATION);
        let free = match &record {
            None => true,
            Some(record) if clock && wall.since(record.renewed_at) > DURATION + SKEW => true,
            Some(record) => match &running.lease.seen {
                Some((seen, since)) if seen == record => since + DURATION < now,
                _ => {
                    running.lease.seen = Some((record.clone(), now));
                    false
                }
            },
        };
        if !own && !free {
            return Ok(());
        }
        // Nobody else held it since the log ended, so the log has everything.
        let before = record.as_ref().map(|record| record.epoch);
        let same = careless || running.lease.from_log == before;
        let continued = own && unbroken && running.lease.from_log.is_some() && same;
        let seconds = u64::try_from(wall.0 / 1000).unwrap_or(0);
        let epoch = seconds.max(before.unwrap_or(0) + 1);
        // The answer that matters most: who took the lease and does not know finds it to be its own.
        let answered = answered && !(self.may(Fault::Errors) && self.chance.one_in(4));
        let taken = self.put_lease(actor, record.map(|record| record.version), epoch);
        if let (Ok(version), true) = (taken, answered) {
            if let Some(running) = self.running(actor) {
                running.lives.at(actor.process.cluster).wrote(epoch, version);
            }
            self.check_continued(actor, continued)?;
            self.gain_lease(actor, LeaseGained { epoch, continued }, asked_at + RENEW_DEADLINE);
        }
        Ok(())
    }

    fn put_lease(&mut self, actor: Actor, expected: Option<u64>, epoch: u64) -> Result<u64, Refusal> {
        let renewed_at = self.clock(actor.process);
        let holder = self.process(actor.process).pod.clone();
        let record = LeaseRecord { holder, epoch, renewed_at, version: 0 };
        self.api(actor.process.cluster).put_lease(expected, record)
    }

    fn gain_lease(&mut self, actor: Actor, gained: LeaseGained, valid_until: u64) {
        self.note(|| format!("{} gains the lease: {gained:?}", actor.process));
        let (epoch, continued) = (gained.epoch, gained.continued);
        let kinds = self.watched();
        let Some(running) = self.running(actor) else { return };
        running.lease = LeaseClient { epoch: Some(epoch), valid_until, from_log: None, seen: None };
        running.before_live = (!continued).then(|| (epoch, kinds.iter().copied().collect()));
        self.post(actor, Message::Input(Input::Observe(vec![Event::LeaseGained(gained)])));
        if continued {
            self.post(actor, Message::Input(Input::GoLive { epoch }));
        } else {
            self.relist_everything(actor);
        }
    }

    pub(super) fn lose_lease(&mut self, actor: Actor, epoch: u64) {
        if self.is(Planted::FollowerActs) {
            return;
        }
        self.note(|| format!("{} loses the lease of epoch {epoch}", actor.process));
        if let Some(running) = self.running(actor) {
            running.lease = LeaseClient::default();
            running.before_live = None;
        }
        self.post(actor, Message::Input(Input::Observe(vec![Event::LeaseLost(LeaseLost { epoch })])));
    }
}
