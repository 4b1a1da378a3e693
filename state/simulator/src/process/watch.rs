//! A watch of one kind, with everything that can happen to it.

use std::rc::Rc;

use liqo_domain::{Input, Listed, Outcome};
use liqo_events::{CommandId, CursorMoved, Event, Proof, Vanished, WatchKey};
use liqo_model::{ClusterRef, Kind};

use super::{Actor, Message, WATCHED};
use crate::api::{Change, Stored, version};
use crate::queue::Step;
use crate::settings::{Fault, Planted};
use crate::world::{Cluster, World};

/// Everything is listed so often although nothing asks for it. More often than in the program, so that it happens.
const RELIST_EVERY: u64 = 10 * 60_000;
/// How often a cursor is recorded.
const CURSOR_EVERY: u64 = 60_000;

/// How late a change may be.
const LATE: u64 = 8_000;

/// What a watch does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Finds out whether it is the same cluster.
    Identify,
    /// Lists, or opens the watch.
    Open,
    /// Follows, from this version on.
    Follow(u64),
}

/// A watch.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) stage: Stage,
    /// Up to where everything was seen, in `generation`.
    cursor: Option<u64>,
    generation: u64,
    relist: bool,
    /// Commands that wait for a list.
    pub(crate) asked: Vec<CommandId>,
    relist_at: u64,
    recorded_at: u64,
    /// The start of the API server that the connection is to.
    boot: u64,
    /// Whether the connection broke.
    pub(crate) broken: bool,
    /// When it takes its next turn.
    turn: Option<u64>,
}

impl Watcher {
    pub(super) fn new(cursor: Option<u64>, generation: u64) -> Self {
        Self {
            stage: Stage::Identify,
            cursor,
            generation: if cursor.is_some() { generation } else { 0 },
            relist: cursor.is_none(),
            asked: Vec::new(),
            relist_at: u64::MAX,
            recorded_at: 0,
            boot: 0,
            broken: false,
            turn: None,
        }
    }

    /// Whether it is going to list.
    pub(crate) fn wants_list(&self) -> bool {
        self.relist || !self.asked.is_empty()
    }
}

pub(super) fn watch_key(kind: Kind) -> WatchKey {
    WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() }
}

impl World {
    /// Whoever follows a kind that changed is going to look.
    pub(crate) fn wake_watchers(&mut self, cluster: usize) {
        for index in 0..self.clusters[cluster].processes.len() {
            let Self { clusters, chance, queue, now, calm, .. } = self;
            let Cluster { api, processes, .. } = &mut clusters[cluster];
            let process = &mut processes[index];
            let actor = process.actor();
            let Some(running) = &mut process.running else { continue };
            for (kind, watcher) in &mut running.watchers {
                let Stage::Follow(position) = watcher.stage else { continue };
                let soon = watcher.turn.is_some_and(|turn| turn <= *now + LATE);
                if soon || api.newest(*kind) <= position {
                    continue;
                }
                let longest = if !*calm && chance.one_in(30) { LATE } else { 150 };
                let at = *now + chance.between(1, longest);
                watcher.turn = Some(at);
                queue.push(at, Step::Watch(actor, *kind), chance);
            }
        }
    }

    /// A command or the lease wants lists.
    pub(crate) fn relist_everything(&mut self, actor: Actor) {
        for kind in WATCHED {
            self.relist(actor, kind);
        }
    }

    pub(crate) fn relist(&mut self, actor: Actor, kind: Kind) {
        if let Some(watcher) = self.running(actor).and_then(|running| running.watchers.get_mut(&kind)) {
            watcher.relist = true;
        }
        self.turn(actor, kind, (1, 50));
    }

    /// The watch takes its next turn within a time. It has one turn at a time, the earliest.
    pub(crate) fn turn(&mut self, actor: Actor, kind: Kind, pause: (u64, u64)) {
        let at = self.now + self.chance.between(pause.0, pause.1);
        self.turn_at(actor, kind, at);
    }

    fn turn_at(&mut self, actor: Actor, kind: Kind, at: u64) {
        let Some(watcher) = self.watcher(actor, kind) else { return };
        if watcher.turn.is_none_or(|turn| at < turn) {
            watcher.turn = Some(at);
            self.plan_at(at, Step::Watch(actor, kind));
        }
    }

    fn watcher(&mut self, actor: Actor, kind: Kind) -> Option<&mut Watcher> {
        self.running(actor).and_then(|running| running.watchers.get_mut(&kind))
    }

    /// Goes one step on.
    pub(crate) fn watch(&mut self, actor: Actor, kind: Kind) {
        let now = self.now;
        let boots = self.api(actor.process.cluster).boots;
        let Some(running) = self.running(actor) else { return };
        let generation = running.life.generation;
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        // Another turn was planned for earlier, and taken.
        if watcher.turn.is_none_or(|turn| now < turn) {
            return;
        }
        watcher.turn = None;
        // What an earlier state of the cluster said must not be taken for what this one says, and a list of an earlier
        // generation decides nothing: whoever began the new one, every watch begins anew.
        if watcher.stage != Stage::Identify && watcher.generation != generation {
            return self.step_back(actor, kind, (1, 30));
        }
        match watcher.stage {
            Stage::Identify => self.identify(actor, kind),
            Stage::Open => self.open(actor, kind),
            Stage::Follow(_) => {
                if watcher.broken || watcher.boot != boots || self.is_down(actor.process.cluster) {
                    return self.step_back(actor, kind, (50, 4_000));
                }
                let Some(watcher) = self.watcher(actor, kind) else { return };
                if watcher.relist || watcher.relist_at <= now {
                    watcher.relist = true;
                    return self.step_back(actor, kind, (1, 20));
                }
                self.deliver(actor, kind);
            }
        }
    }

    /// Begins anew with the question whether it is the same cluster.
    fn step_back(&mut self, actor: Actor, kind: Kind, pause: (u64, u64)) {
        if let Some(watcher) = self.watcher(actor, kind) {
            watcher.stage = Stage::Identify;
            watcher.broken = false;
        }
        self.turn(actor, kind, pause);
    }

    fn identify(&mut self, actor: Actor, kind: Kind) {
        if self.gate(actor.process.cluster) != Ok(true) {
            return self.step_back(actor, kind, (200, 5_000));
        }
        self.hear_witness(actor);
        let blind = self.is(Planted::RestoreUnnoticed);
        let unchecked = blind || self.is(Planted::VersionsNotCompared);
        let api = self.api(actor.process.cluster);
        let (uid, newest) = (api.uid.clone(), api.version());
        let Some(running) = self.running(actor) else { return };
        let first = running.life.generation == 0;
        let changed = if blind && !first { None } else { running.life.seen(&uid) };
        let generation = running.life.generation;
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        if watcher.generation != generation {
            watcher.generation = generation;
            watcher.cursor = None;
            watcher.relist = true;
        }
        watcher.stage = Stage::Open;
        let back = !watcher.relist && running.life.is_ahead_of(kind, newest) && !unchecked;
        self.announce(actor, changed);
        if back {
            return self.went_back(actor, kind);
        }
        self.turn(actor, kind, (1, 30));
    }

    /// The versions are below those that were seen: nothing that was seen can be relied on.
    fn went_back(&mut self, actor: Actor, kind: Kind) {
        let Some(running) = self.running(actor) else { return };
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        watcher.cursor = None;
        watcher.relist = true;
        let changed = running.life.went_back(watcher.generation);
        self.announce(actor, changed);
        self.step_back(actor, kind, (1, 30));
    }

    fn open(&mut self, actor: Actor, kind: Kind) {
        if self.gate(actor.process.cluster) != Ok(true) {
            return self.step_back(actor, kind, (200, 5_000));
        }
        let now = self.now;
        let api = self.api(actor.process.cluster);
        let (boots, compacted, newest) = (api.boots, api.compacted(), api.version());
        let unchecked = self.is(Planted::VersionsNotCompared) || self.is(Planted::RestoreUnnoticed);
        let contradicted = self.is_contradicted(actor, kind);
        let Some(running) = self.running(actor) else { return };
        let ahead = running.life.is_ahead_of(kind, newest) || contradicted;
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        watcher.boot = boots;
        if watcher.relist && ahead && !unchecked {
            return self.went_back(actor, kind);
        }
        let from = watcher.cursor.filter(|_| !watcher.relist);
        if let Some(cursor) = from {
            if cursor < compacted {
                watcher.relist = true;
                self.note(|| format!("{} {kind}: 410, {cursor} is older than {compacted}", actor.process));
                self.gap(actor, kind);
                return self.step_back(actor, kind, (1, 500));
            }
            watcher.stage = Stage::Follow(cursor);
            self.turn(actor, kind, (1, 50));
            return;
        }
        watcher.stage = Stage::Follow(newest);
        watcher.cursor = Some(newest);
        running.life.reached(kind, newest, watcher.generation);
        watcher.relist = false;
        watcher.recorded_at = now;
        watcher.relist_at = now + RELIST_EVERY;
        let asked = std::mem::take(&mut watcher.asked);
        self.list(actor, kind);
        for id in asked {
            let resource_version = version(newest);
            self.post(actor, Message::Outcome(id, Outcome::Succeeded { resource_version }));
        }
        self.turn_at(actor, kind, now + RELIST_EVERY);
    }

    /// Whether a list shows an object as it was before it was last seen: the store was taken to another backup, maybe a
    /// newer one.
    fn is_contradicted(&self, actor: Actor, kind: Kind) -> bool {
        let cluster = &self.clusters[actor.process.cluster];
        let Some(running) = &cluster.processes[actor.process.replica].running else { return false };
        let state = running.writer.state();
        let generation = state.generation(&ClusterRef::Local);
        // The engine may not have heard of the present generation yet.
        if generation != running.life.generation {
            return false;
        }
        cluster.api.list(kind).any(|object| {
            let known = state.objects.get(&object.key).filter(|known| known.cluster_generation == generation);
            known.is_some_and(|known| version(object.version).is_older_than(&known.resource_version))
        })
    }

    /// A complete list: every object, then what is present.
    fn list(&mut self, actor: Actor, kind: Kind) {
        let api = self.api(actor.process.cluster);
        let resource_version = version(api.version());
        let objects: Vec<Rc<Stored>> = api.list(kind).cloned().collect();
        let Some(generation) = self.watcher(actor, kind).map(|watcher| watcher.generation) else { return };
        self.note(|| {
            let names: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
            format!("{} lists {kind} at {resource_version}: {names:?}", actor.process)
        });
        let present = objects.iter().map(|object| (object.key.clone(), object.uid.clone())).collect();
        let events: Vec<Event> = objects.iter().map(|object| Event::Applied(object.applied())).collect();
        let listed = Listed { watch: watch_key(kind), resource_version, generation, present };
        self.post(actor, Message::Input(Input::Observe(events)));
        self.post(actor, Message::Input(Input::Listed(listed)));
        let Some(running) = self.running(actor) else { return };
        for object in objects {
            running.remember(object);
        }
        let Some((epoch, missing)) = &mut running.before_live else { return };
        missing.remove(&kind);
        if missing.is_empty() {
            let epoch = *epoch;
            running.before_live = None;
            self.post(actor, Message::Input(Input::GoLive { epoch }));
        }
    }

    /// A fault that can be planted: what may have been missed counts as deleted.
    fn gap(&mut self, actor: Actor, kind: Kind) {
        if !self.is(Planted::GapIsDeletion) {
            return;
        }
        let Some(running) = self.running(actor) else { return };
        let known = running.writer.state().local(kind);
        let gone = known.map(|(key, object)| {
            Event::Vanished(Vanished {
                object: key.clone(),
                uid: object.uid.clone(),
                resource_version: object.resource_version.clone(),
                proof: Proof::Deleted,
            })
        });
        let gone = gone.collect();
        self.post(actor, Message::Input(Input::Observe(gone)));
    }

    /// Hands over some of what the connection has.
    fn deliver(&mut self, actor: Actor, kind: Kind) {
        let faulty = !self.calm && self.settings.faults.contains(&Fault::Watch);
        let (lose, repeat, back) = (
            faulty && self.chance.one_in(40),
            faulty && self.chance.one_in(40),
            faulty && self.chance.one_in(80),
        );
        let most = self.chance.between(1, 6);
        let bookmark = self.chance.one_in(4);
        let depth = self.chance.between(1, 30);
        let api = &self.clusters[actor.process.cluster].api;
        let (newest, compacted) = (api.version(), api.compacted());
        let Some(Stage::Follow(position)) = self.watcher(actor, kind).map(|watcher| watcher.stage) else {
            return;
        };
        let api = &self.clusters[actor.process.cluster].api;
        let Ok(changes) = api.since(kind, position) else {
            // Compacted under an open watch: the connection ends with 410.
            if let Some(watcher) = self.watcher(actor, kind) {
                watcher.relist = true;
            }
            self.gap(actor, kind);
            return self.step_back(actor, kind, (1, 500));
        };
        let more = changes.len() as u64 > most;
        let mut taken: Vec<Change> =
            changes.iter().take(usize::try_from(most).unwrap_or(1)).cloned().collect();
        let mut reached = taken.last().map_or(position, |change| change.version);
        if bookmark && !more {
            reached = newest.max(reached);
        }
        if lose && !taken.is_empty() {
            let lost = taken.remove(self.chance.index(taken.len()));
            self.note(|| {
                format!(
                    "{} {kind}: the change of {} at {} is lost",
                    actor.process, lost.object.key, lost.version
                )
            });
        }
        if repeat {
            taken.extend(taken.last().cloned());
        }
        // A connection never gives what is older than it was asked for, and the earliest that anybody asks for is the
        // cursor in the log, as after a restart.
        let recorded = self.recorded_cursor(actor, kind);
        let next = if back { position.saturating_sub(depth).max(compacted).max(recorded) } else { reached };
        if back {
            self.note(|| format!("{} {kind}: the watch goes back to {next}", actor.process));
        }
        self.hand_over(actor, kind, taken);
        let Some(running) = self.running(actor) else { return };
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        running.life.reached(kind, reached, watcher.generation);
        watcher.stage = Stage::Follow(next);
        if watcher.cursor.is_none_or(|cursor| cursor < reached) {
            watcher.cursor = Some(reached);
        }
        let cursor = watcher.cursor;
        let relist_at = watcher.relist_at;
        if more || back {
            self.turn(actor, kind, (1, 100));
        } else {
            self.turn_at(actor, kind, relist_at);
        }
        self.record_cursor(actor, kind, cursor);
    }

    fn hand_over(&mut self, actor: Actor, kind: Kind, taken: Vec<Change>) {
        if taken.is_empty() {
            return;
        }
        let events = taken.iter().map(|change| match change.deleted {
            true => Event::Vanished(change.object.vanished()),
            false => Event::Applied(change.object.applied()),
        });
        let events: Vec<Event> = events.collect();
        self.note(|| {
            let names: Vec<String> = taken
                .iter()
                .map(|change| {
                    let what = if change.deleted { "gone " } else { "" };
                    format!("{what}{} at {}", change.object.key, change.version)
                })
                .collect();
            format!("{} {kind}: sees {names:?}", actor.process)
        });
        if let Some(running) = self.running(actor) {
            for change in taken {
                if change.deleted {
                    running.cache.remove(&change.object.key);
                } else {
                    running.remember(change.object);
                }
            }
        }
        self.post(actor, Message::Input(Input::Observe(events)));
    }

    fn recorded_cursor(&self, actor: Actor, kind: Kind) -> u64 {
        let process = &self.clusters[actor.process.cluster].processes[actor.process.replica];
        let state = process.running.as_ref().map(|running| running.writer.state());
        let cursor = state.and_then(|state| state.cursors.get(&(ClusterRef::Local, kind, String::new())));
        cursor.and_then(|cursor| cursor.body.resource_version.as_str().parse().ok()).unwrap_or(0)
    }

    fn record_cursor(&mut self, actor: Actor, kind: Kind, cursor: Option<u64>) {
        let now = self.now;
        let Some(watcher) = self.watcher(actor, kind) else { return };
        let Some(cursor) = cursor.filter(|_| watcher.recorded_at + CURSOR_EVERY <= now) else { return };
        watcher.recorded_at = now;
        let moved = CursorMoved { watch: watch_key(kind), resource_version: version(cursor) };
        self.post(actor, Message::Input(Input::Observe(vec![Event::CursorMoved(moved)])));
    }
}

impl super::Running {
    /// Keeps a body for the actuator; an older version of the same life does not return.
    pub(super) fn remember(&mut self, object: Rc<Stored>) {
        let newer = self
            .cache
            .get(&object.key)
            .is_none_or(|known| known.uid != object.uid || known.version <= object.version);
        if newer {
            self.cache.insert(object.key.clone(), object);
        }
    }
}
