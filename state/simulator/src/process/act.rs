//! The actuator: reads, decides, writes under the condition that nothing changed, and begins again when something did.

use std::rc::Rc;
use std::time::Duration;

use liqo_domain::{Dispatch, Disposition, Outcome};
use liqo_events::{Effect, Seq};
use liqo_model::{Kind, Uid};

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
    /// Whether the cluster is still the one that the command was decided for; then what follows is to be done.
    Look(Box<Phase>),
    Create(Box<New>),
    /// Counts only for the version that was read.
    Replace {
        expected: u64,
        after: Box<Stored>,
    },
    /// Counts only for the life that was read.
    Delete(Uid),
}

/// A command that is being carried out.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) actor: Actor,
    pub(crate) dispatch: Dispatch,
    /// Of the lease when it set out.
    pub(crate) epoch: u64,
    pub(crate) phase: Phase,
    /// Where it was issued.
    issued: Seq,
    /// Whether the lease was really held, as the API server has it, when the last request left.
    pub(crate) held: bool,
    /// Of the cluster when the last request left.
    generation: u64,
    readings: u32,
    /// The start of the API server that the last request is to.
    boot: u64,
    /// The newest version that was seen when the last request left: what is seen meanwhile is newer than its answer.
    newest: u64,
}

/// A write that left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pub(crate) actor: Actor,
    /// Where its command was issued.
    pub(crate) issued: Seq,
    /// What it writes.
    pub(crate) kind: Kind,
    /// The newest version of the cluster then.
    pub(crate) version: u64,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Found(Option<Rc<Stored>>),
    /// The newest version of the cluster.
    Looked(u64),
    Written(u64),
    Refused(Refusal),
}

impl World {
    /// Begins to carry a command out.
    pub(crate) fn set_out(&mut self, actor: Actor, dispatch: Dispatch, issued: Seq) {
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
        let (phase, generation, readings) = (Phase::Read, 0, 1);
        let flight = Box::new(Flight {
            actor,
            dispatch,
            epoch,
            phase,
            issued,
            held: false,
            generation,
            readings,
            boot: 0,
            newest: 0,
        });
        match cached {
            Some(cached) => self.decide(flight, Some(cached), true),
            None => self.send(flight),
        }
    }

    /// A request leaves; it arrives within the patience of its sender, even when that dies.
    fn send(&mut self, mut flight: Box<Flight>) {
        let pod = self.process(flight.actor.process).pod.clone();
        let lease = &self.clusters[flight.actor.process.cluster].api.lease;
        flight.held = lease.as_ref().is_some_and(|lease| lease.holder == pod && lease.epoch == flight.epoch);
        flight.boot = self.api(flight.actor.process.cluster).boots;
        let Some(running) = self.running(flight.actor) else { return };
        flight.generation = running.life.generation;
        flight.newest = running.life.newest();
        // What was decided in another term is not to be carried out in this one.
        let same = running.lease.epoch == Some(flight.epoch);
        let guarded = self.is(Planted::GuardOnlyAtTheBeginning) || same && self.may_act(flight.actor);
        if !guarded {
            let id = flight.dispatch.command.id;
            if let Some(running) = self.running(flight.actor) {
                running.writer.give_back(id);
            }
            return;
        }
        // After a store was taken back two may believe that they hold the lease; that is another promise's business.
        if flight.held && !matches!(flight.phase, Phase::Read | Phase::Look(_)) {
            let cluster = &mut self.clusters[flight.actor.process.cluster];
            let kind = flight.dispatch.command.slot.object.kind;
            let version = cluster.api.version();
            cluster.left = Some(Left { actor: flight.actor, issued: flight.issued, kind, version });
        }
        let longest = if !self.calm && self.chance.one_in(20) { PATIENCE - 100 } else { 40 };
        self.plan(1, longest, Step::Arrive(flight));
    }

    /// From the object as it was read to the write.
    fn decide(&mut self, mut flight: Box<Flight>, current: Option<Rc<Stored>>, cached: bool) {
        let (trusted, unlooked) = (self.is(Planted::CacheTrusted), self.is(Planted::TakenWithoutALook));
        let command = &flight.dispatch.command;
        match effect::step(&command.effect, &command.slot.object, current.as_deref()) {
            Change::Create(new) => flight.phase = Phase::Create(new),
            Change::Replace(after) => match current {
                Some(current) if *after != *current => {
                    let replace = Phase::Replace { expected: current.version, after };
                    // A store that was restored meanwhile, and that no watch has noticed yet, may want it again.
                    let lasting = effect::is_final(&command.effect) && !unlooked;
                    flight.phase = if lasting { Phase::Look(Box::new(replace)) } else { replace };
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
            Change::Delete => {
                let Some(current) = current else { return };
                let delete = Phase::Delete(current.uid.clone());
                flight.phase = if unlooked { delete } else { Phase::Look(Box::new(delete)) };
            }
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
        // Whatever takes a store back closes its connections first.
        let lost = self.api(cluster).boots != flight.boot;
        let reply = match self.gate(cluster) {
            Ok(_) if lost => Reply::Refused(Refusal::Timeout),
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
        if let Phase::Look(_) = flight.phase {
            return Ok(Reply::Looked(self.api(cluster).version()));
        }
        self.check_holder(flight)?;
        let at = self.wall(cluster);
        let before = self.api(cluster).get(key).cloned();
        let written = match flight.phase.clone() {
            Phase::Create(new) => self.api(cluster).create(*new, at),
            Phase::Replace { expected, after } => self.api(cluster).replace(expected, *after),
            Phase::Delete(uid) => match &before {
                Some(before) if before.uid == uid => self.api(cluster).delete(key),
                Some(_) => Err(Refusal::Conflict),
                None => Err(Refusal::NotFound),
            },
            Phase::Read | Phase::Look(_) => return Ok(Reply::Found(before)),
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
            Reply::Looked(newest) => return self.looked(flight, newest),
            Reply::Refused(refusal) => return self.refused(flight, refusal),
            Reply::Written(written) => written,
        };
        let key = flight.dispatch.command.slot.object.clone();
        let after = self
            .api(flight.actor.process.cluster)
            .get(&key)
            .filter(|object| object.version == written)
            .cloned();
        if let Some(running) = self.running(flight.actor) {
            running.life.reached(key.kind, written, flight.generation);
            if let Some(after) = after.filter(|_| running.cache.contains_key(&key)) {
                running.remember(after);
            }
        }
        self.end(&flight, Outcome::Succeeded { resource_version: version(written) });
    }

    /// The cluster was looked at before something is taken away.
    fn looked(&mut self, mut flight: Box<Flight>, newest: u64) {
        let blind = self.is(Planted::RestoreUnnoticed) || self.is(Planted::VersionsNotCompared);
        self.hear_witness(flight.actor);
        let generation = flight.generation;
        let Some(running) = self.running(flight.actor) else { return };
        if newest < flight.newest && !blind {
            let changed = running.life.went_back(generation);
            self.announce(flight.actor, changed);
        }
        if let Phase::Look(next) = std::mem::replace(&mut flight.phase, Phase::Read) {
            flight.phase = *next;
            self.send(flight);
        }
    }

    fn refused(&mut self, flight: Box<Flight>, refusal: Refusal) {
        let outcome = match refusal {
            Refusal::Conflict | Refusal::Exists => return self.read_again(flight),
            Refusal::NotFound if matches!(flight.phase, Phase::Replace { .. } | Phase::Delete(_)) => {
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
