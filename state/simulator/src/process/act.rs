//! The actuator: reads, decides, writes under the condition that nothing changed, and begins again when something did.

use std::rc::Rc;
use std::time::Duration;

use liqo_domain::{Dispatch, Disposition, Outcome};
use liqo_events::Effect;

use super::effect::{self, Step as Change};
use super::{Actor, Message};
use crate::api::{New, Refusal, Stored, version};
use crate::invariants::Checked;
use crate::queue::Step;
use crate::settings::Planted;
use crate::world::World;

/// Readings of one object for one command.
const READINGS: u32 = 3;
/// A request that is not answered after this long is given up.
const PATIENCE: u64 = 5_000;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Read,
    Create(Box<New>),
    /// Counts only for the version that was read.
    Replace {
        expected: u64,
        after: Box<Stored>,
    },
}

/// A command that is being carried out.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) actor: Actor,
    pub(crate) dispatch: Dispatch,
    /// Of the lease when it set out.
    pub(crate) epoch: u64,
    pub(crate) phase: Phase,
    /// Whether the lease was certainly held when the last request left.
    pub(crate) held: bool,
    readings: u32,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Found(Option<Rc<Stored>>),
    Written(u64),
    Refused(Refusal),
}

impl World {
    /// Begins to carry a command out.
    pub(crate) fn set_out(&mut self, actor: Actor, dispatch: Dispatch) {
        let forgotten = self.chance.one_in(8);
        let Some(running) = self.running(actor) else { return };
        if let Effect::Relist { watch } = &dispatch.command.effect {
            if let Some(watcher) = running.watchers.get_mut(&watch.kind) {
                watcher.asked.push(dispatch.command.id);
            }
            return self.relist(actor, watch.kind);
        }
        let epoch = running.lease.epoch.unwrap_or(0);
        let cached = running.cache.get(&dispatch.command.slot.object).filter(|_| !forgotten).cloned();
        let flight =
            Box::new(Flight { actor, dispatch, epoch, phase: Phase::Read, held: false, readings: 1 });
        match cached {
            Some(cached) => self.decide(flight, Some(cached), true),
            None => self.send(flight),
        }
    }

    /// A request leaves; it arrives within the patience of its sender, even when that dies.
    fn send(&mut self, mut flight: Box<Flight>) {
        let now = self.now;
        flight.held = self.running(flight.actor).is_some_and(|running| now < running.lease.valid_until);
        let guarded =
            self.settings.planted == Some(Planted::GuardOnlyAtTheBeginning) || self.may_act(flight.actor);
        if !guarded {
            let id = flight.dispatch.command.id;
            if let Some(running) = self.running(flight.actor) {
                running.writer.give_back(id);
            }
            return;
        }
        let longest = if !self.calm && self.chance.one_in(20) { PATIENCE - 100 } else { 40 };
        self.plan(1, longest, Step::Arrive(flight));
    }

    /// From the object as it was read to the write.
    fn decide(&mut self, mut flight: Box<Flight>, current: Option<Rc<Stored>>, cached: bool) {
        let trusted = self.settings.planted == Some(Planted::CacheTrusted);
        let command = &flight.dispatch.command;
        match effect::step(&command.effect, &command.slot.object, current.as_deref()) {
            Change::Create(new) => flight.phase = Phase::Create(new),
            Change::Replace(after) => match current {
                Some(current) if *after != *current => {
                    flight.phase = Phase::Replace { expected: current.version, after };
                }
                // Whether nothing is to be done, only the object itself can say.
                _ if cached && !trusted => return self.read_again(flight),
                current => {
                    let resource_version =
                        current.map(|current| version(current.version)).unwrap_or_default();
                    return self.end(&flight, Outcome::Succeeded { resource_version });
                }
            },
            // The cache may be older than the command.
            _ if cached => return self.read_again(flight),
            Change::Superseded(reason) => {
                return self.end(&flight, Outcome::Superseded { reason: reason.to_owned() });
            }
            Change::Park(reason) => return self.end(&flight, failed(Disposition::Park, reason)),
            Change::Later(reason) => {
                return self.end(&flight, failed(Disposition::Retry { after: None }, reason));
            }
        }
        self.send(flight);
    }

    fn read_again(&mut self, mut flight: Box<Flight>) {
        flight.readings += 1;
        if flight.readings > READINGS {
            return self.end(&flight, failed(Disposition::Retry { after: None }, "it changes too fast"));
        }
        flight.phase = Phase::Read;
        self.send(flight);
    }

    fn end(&mut self, flight: &Flight, outcome: Outcome) {
        let id = flight.dispatch.command.id;
        self.note(|| {
            format!("{}: {} ended: {outcome:?}", flight.actor.process, flight.dispatch.command.slot)
        });
        self.post(flight.actor, Message::Outcome(id, outcome));
    }

    /// The API server has a request; its sender may be dead.
    pub(crate) fn arrive(&mut self, flight: Box<Flight>) -> Checked {
        let cluster = flight.actor.process.cluster;
        let reply = match self.gate(cluster) {
            Err(refusal) => Reply::Refused(refusal),
            Ok(answered) => {
                let reply = self.carry_out(&flight)?;
                if answered { reply } else { Reply::Refused(Refusal::Timeout) }
            }
        };
        if matches!(reply, Reply::Refused(Refusal::Timeout)) {
            self.plan(PATIENCE, PATIENCE + 10, Step::Answer(flight, reply));
        } else {
            self.plan(1, 40, Step::Answer(flight, reply));
        }
        Ok(())
    }

    fn carry_out(&mut self, flight: &Flight) -> Checked<Reply> {
        let cluster = flight.actor.process.cluster;
        let key = &flight.dispatch.command.slot.object;
        if let Phase::Read = flight.phase {
            return Ok(Reply::Found(self.api(cluster).get(key).cloned()));
        }
        self.check_holder(flight)?;
        let at = self.wall(cluster);
        let before = self.api(cluster).get(key).cloned();
        let written = match flight.phase.clone() {
            Phase::Create(new) => self.api(cluster).create(*new, at),
            Phase::Replace { expected, after } => self.api(cluster).replace(expected, *after),
            Phase::Read => return Ok(Reply::Found(before)),
        };
        self.note(|| {
            format!("{}: {} is written: {written:?}", flight.actor.process, flight.dispatch.command.slot)
        });
        if written.is_ok() {
            self.mapped(flight, before.as_deref())?;
        }
        Ok(written.map_or_else(Reply::Refused, Reply::Written))
    }

    /// The answer is there.
    pub(crate) fn answer(&mut self, flight: Box<Flight>, reply: Reply) {
        let written = match reply {
            Reply::Found(current) => return self.decide(flight, current, false),
            Reply::Refused(refusal) => return self.refused(flight, refusal),
            Reply::Written(written) => written,
        };
        let key = flight.dispatch.command.slot.object.clone();
        let after = self
            .api(flight.actor.process.cluster)
            .get(&key)
            .filter(|object| object.version == written)
            .cloned();
        if let (Some(after), Some(running)) = (after, self.running(flight.actor))
            && running.cache.contains_key(&key)
        {
            running.remember(after);
        }
        self.end(&flight, Outcome::Succeeded { resource_version: version(written) });
    }

    fn refused(&mut self, flight: Box<Flight>, refusal: Refusal) {
        let outcome = match refusal {
            Refusal::Conflict | Refusal::Exists => return self.read_again(flight),
            Refusal::NotFound if matches!(flight.phase, Phase::Replace { .. }) => {
                return self.read_again(flight);
            }
            Refusal::Terminating => failed(Disposition::Park, "403"),
            Refusal::NotFound => failed(Disposition::Retry { after: None }, "404"),
            Refusal::Throttled(millis) => {
                failed(Disposition::Retry { after: Some(Duration::from_millis(millis)) }, "429")
            }
            Refusal::Unavailable => failed(Disposition::Retry { after: None }, "503"),
            Refusal::Timeout => failed(Disposition::Retry { after: None }, "no answer"),
        };
        self.end(&flight, outcome);
    }
}

fn failed(disposition: Disposition, error: &str) -> Outcome {
    Outcome::Failed { disposition, error: error.to_owned() }
}
