//! The actuator: reads, decides, writes under the condition that nothing changed, and begins again when something did.

use std::rc::Rc;
use std::time::Duration;

use liqo_domain::{Dispatch, Disposition, Outcome};
use liqo_events::{Effect, Seq};
use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey, Uid};

use super::effect::{self, Step as Change};
use super::rights::allows;
use super::{Actor, Message, Watched};
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
    /// Asks the authentication service of a peer for an identity.
    Ask,
    /// Reads the object that is copied.
    Source,
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
    /// Whose API server the object of the command is in.
    pub(crate) target: usize,
    /// What beside the object it is decided from.
    given: Given,
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

/// What a command is decided from beside its object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// The object that is copied.
    pub(super) source: Option<Rc<Stored>>,
    /// The tenant namespace that a peer gives with an identity.
    pub(super) tenant: Option<NamespaceName>,
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
    /// The tenant namespace at the peer.
    Granted(NamespaceName),
    /// The newest version of the cluster.
    Looked(u64),
    Written(u64),
    Refused(Refusal),
}

impl Flight {
    /// Whether its next request changes something.
    fn writes(&self) -> bool {
        !matches!(self.phase, Phase::Source | Phase::Read | Phase::Look(_))
    }
}

impl World {
    /// Begins to carry a command out.
    pub(crate) fn set_out(&mut self, actor: Actor, dispatch: Dispatch, issued: Seq) {
        let forgotten = self.chance.one_in(8);
        let Some(running) = self.running(actor) else { return };
        if let Effect::Relist { watch } = &dispatch.command.effect {
            let watched = Watched { server: actor.process.cluster, kind: watch.kind };
            if let Some(watcher) = running.watchers.get_mut(&watched) {
                watcher.asked.push(dispatch.command.id);
            }
            return self.relist(actor, watched);
        }
        let epoch = running.lease.epoch.unwrap_or(0);
        let target = running.server(actor, &dispatch.command.slot.object.cluster);
        let (phase, generation, readings) = (Phase::Read, 0, 1);
        let flight = Box::new(Flight {
            actor,
            dispatch,
            epoch,
            phase,
            target: target.unwrap_or(actor.process.cluster),
            given: Given::default(),
            issued,
            held: false,
            generation,
            readings,
            boot: 0,
            newest: 0,
        });
        if target.is_none() {
            return self.end(&flight, failed(Disposition::Retry { after: None }, "no client for the peer"));
        }
        self.gather(flight, forgotten);
    }

    /// Finds what the command is decided from, in the cache or where it is.
    fn gather(&mut self, mut flight: Box<Flight>, forgotten: bool) {
        let effect = &flight.dispatch.command.effect;
        let Some(running) = self.running(flight.actor) else { return };
        let from = effect::source_of(effect);
        if let Some((from, uid)) = from.filter(|_| flight.given.source.is_none()) {
            let known = running.cache.get(from).filter(|_| !forgotten);
            flight.given.source = known.filter(|known| uid.is_none_or(|uid| known.uid == *uid)).cloned();
            if flight.given.source.is_none() {
                flight.phase = Phase::Source;
                return self.send(flight);
            }
        }
        if matches!(effect, Effect::Authenticate { .. }) && flight.given.tenant.is_none() {
            flight.phase = Phase::Ask;
            return self.send(flight);
        }
        let cached = running.cache.get(&flight.dispatch.command.slot.object).filter(|_| !forgotten).cloned();
        match cached {
            Some(cached) => self.decide(flight, Some(cached), true),
            None => {
                flight.phase = Phase::Read;
                self.send(flight);
            }
        }
    }

    /// Whose API server the next request of a command is to; nothing when nobody knows the peer any more.
    fn addressee(&mut self, flight: &Flight) -> Option<usize> {
        match (&flight.phase, &flight.dispatch.command.effect) {
            (Phase::Ask, Effect::Authenticate { id, .. }) => self.cluster_of(id),
            (Phase::Source, effect) => {
                let cluster = &effect::source_of(effect)?.0.cluster;
                let actor = flight.actor;
                self.running(actor).and_then(|running| running.server(actor, cluster))
            }
            _ => Some(flight.target),
        }
    }

    /// A request leaves; it arrives within the patience of its sender, even when that dies.
    fn send(&mut self, mut flight: Box<Flight>) {
        let pod = self.process(flight.actor.process).pod.clone();
        let lease = &self.clusters[flight.actor.process.cluster].api.lease;
        flight.held = lease.as_ref().is_some_and(|lease| lease.holder == pod && lease.epoch == flight.epoch);
        let Some(server) = self.addressee(&flight) else {
            return self.end(&flight, failed(Disposition::Retry { after: None }, "no client for the peer"));
        };
        flight.boot = self.api(server).boots;
        let Some(running) = self.running(flight.actor) else { return };
        flight.generation = running.lives.at(server).generation;
        flight.newest = running.lives.at(server).newest();
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
        if flight.held && flight.writes() && server == flight.actor.process.cluster {
            let cluster = &mut self.clusters[flight.actor.process.cluster];
            let kind = flight.dispatch.command.slot.object.kind;
            let version = cluster.api.version();
            cluster.left = Some(Left { actor: flight.actor, issued: flight.issued, kind, version });
        }
        let longest = if !self.calm && self.chance.one_in(20) { PATIENCE - 100 } else { 40 };
        self.plan(1, longest, Step::Arrive(server, flight));
    }

    /// From the object as it was read to the write.
    fn decide(&mut self, mut flight: Box<Flight>, current: Option<Rc<Stored>>, cached: bool) {
        let (trusted, unlooked) = (self.is(Planted::CacheTrusted), self.is(Planted::TakenWithoutALook));
        let command = &flight.dispatch.command;
        let key = ObjectKey { cluster: ClusterRef::Local, ..command.slot.object.clone() };
        let job = effect::Job {
            effect: &command.effect,
            key: &key,
            given: &flight.given,
            at: self.wall(flight.target),
        };
        let step = match self.settings.peering {
            Some(_) => job.peering_step(current.as_deref()),
            None => job.step(current.as_deref()),
        };
        match step {
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
        self.pass(flight.actor, || format!("the outcome of {} is known", flight.dispatch.command.slot));
    }

    /// The API server has a request; its sender may be dead.
    pub(crate) fn arrive(&mut self, server: usize, flight: Box<Flight>) -> Checked {
        // Whatever takes a store back closes its connections first.
        let lost = self.api(server).boots != flight.boot;
        let reply = match self.gate(server) {
            Ok(_) if lost => Reply::Refused(Refusal::Timeout),
            Err(refusal) => Reply::Refused(refusal),
            Ok(answered) => {
                let reply = self.carry_out(server, &flight)?;
                if answered { reply } else { Reply::Refused(Refusal::Timeout) }
            }
        };
        if flight.writes() {
            self.pass(flight.actor, || format!("{} is carried out", flight.dispatch.command.slot));
        }
        if matches!(reply, Reply::Refused(Refusal::Timeout)) {
            self.plan(PATIENCE, PATIENCE + 10, Step::Answer(flight, reply));
        } else {
            self.plan(1, 40, Step::Answer(flight, reply));
        }
        Ok(())
    }

    fn carry_out(&mut self, server: usize, flight: &Flight) -> Checked<Reply> {
        let effect = &flight.dispatch.command.effect;
        let key = match (&flight.phase, effect::source_of(effect)) {
            (Phase::Source, Some((from, _))) => from,
            _ => &flight.dispatch.command.slot.object,
        };
        if let (Phase::Ask, Effect::Authenticate { home, home_name, .. }) = (&flight.phase, effect) {
            return Ok(self.grant(server, home, home_name));
        }
        let remote = key.cluster != ClusterRef::Local;
        let key = ObjectKey { cluster: ClusterRef::Local, ..key.clone() };
        if remote && !allows(self.api(server), &key.namespace, key.kind) {
            return Ok(Reply::Refused(Refusal::Forbidden));
        }
        if let Phase::Read | Phase::Source = flight.phase {
            return Ok(Reply::Found(self.api(server).get(&key).cloned()));
        }
        if let Phase::Look(_) = flight.phase {
            return Ok(Reply::Looked(self.api(server).version()));
        }
        self.check_holder(flight)?;
        let at = self.wall(server);
        let before = self.api(server).get(&key).cloned();
        let written = match flight.phase.clone() {
            Phase::Create(new) => self.api(server).create(*new, at),
            Phase::Replace { expected, after } => self.api(server).replace(expected, *after),
            Phase::Delete(uid) => match &before {
                Some(before) if before.uid == uid => self.api(server).delete(&key),
                Some(_) => Err(Refusal::Conflict),
                None => Err(Refusal::NotFound),
            },
            Phase::Ask | Phase::Source | Phase::Read | Phase::Look(_) => return Ok(Reply::Found(before)),
        };
        self.note(|| {
            format!("{}: {} is written: {written:?}", flight.actor.process, flight.dispatch.command.slot)
        });
        if written.is_ok() && self.settings.peering.is_none() {
            self.mapped(flight, before.as_deref())?;
        }
        Ok(written.map_or_else(Reply::Refused, Reply::Written))
    }

    /// The answer is there.
    pub(crate) fn answer(&mut self, mut flight: Box<Flight>, reply: Reply) {
        let written = match reply {
            Reply::Found(source) if matches!(flight.phase, Phase::Source) => {
                return self.sourced(flight, source);
            }
            Reply::Granted(tenant) => {
                flight.given.tenant = Some(tenant);
                return self.gather(flight, true);
            }
            Reply::Found(current) => return self.decide(flight, current, false),
            Reply::Looked(newest) => return self.looked(flight, newest),
            Reply::Refused(refusal) => return self.refused(flight, refusal),
            Reply::Written(written) => written,
        };
        let key = flight.dispatch.command.slot.object.clone();
        let there = ObjectKey { cluster: ClusterRef::Local, ..key.clone() };
        let after = self.api(flight.target).get(&there);
        let after = after.filter(|object| object.version == written).cloned();
        if let Some(running) = self.running(flight.actor) {
            running.lives.at(flight.target).reached(key.kind, written, flight.generation);
            if let Some(after) = after.filter(|_| running.cache.contains_key(&key)) {
                running.remember(key, after);
            }
        }
        self.end(&flight, Outcome::Succeeded { resource_version: version(written) });
    }

    /// The object that is copied was read; its life counts where the command names one.
    fn sourced(&mut self, mut flight: Box<Flight>, source: Option<Rc<Stored>>) {
        let uid = effect::source_of(&flight.dispatch.command.effect).and_then(|(_, uid)| uid);
        let reason = match &source {
            None => "what is copied is no more",
            Some(source) if uid.is_some_and(|uid| *uid != source.uid) => {
                "it is another object of the same name"
            }
            Some(_) => {
                flight.given.source = source;
                return self.gather(flight, false);
            }
        };
        self.end(&flight, Outcome::Superseded { reason: reason.to_owned() });
    }

    /// The cluster was looked at before something is taken away.
    fn looked(&mut self, mut flight: Box<Flight>, newest: u64) {
        let blind = self.is(Planted::RestoreUnnoticed) || self.is(Planted::VersionsNotCompared);
        let (generation, server) = (flight.generation, flight.target);
        if server == flight.actor.process.cluster {
            self.hear_witness(flight.actor);
        }
        let Some(running) = self.running(flight.actor) else { return };
        if newest < flight.newest && !blind {
            let changed = running.lives.at(server).went_back(generation);
            self.announce(flight.actor, server, changed);
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
            Refusal::Terminating | Refusal::Forbidden => failed(Disposition::Park, "403"),
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
