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
    /// Whether it is going to look.
    planned: bool,
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
            planned: false,
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
                if watcher.planned || api.newest(*kind) <= position {
                    continue;
                }
                watcher.planned = true;
                let longest = if !*calm && chance.one_in(30) { 8_000 } else { 150 };
                let at = *now + chance.between(1, longest);
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
        self.plan(1, 50, Step::Watch(actor, kind));
    }

    fn watcher(&mut self, actor: Actor, kind: Kind) -> Option<&mut Watcher> {
        self.running(actor).and_then(|running| running.watchers.get_mut(&kind))
    }

    /// Goes one step on.
    pub(crate) fn watch(&mut self, actor: Actor, kind: Kind) {
        let now = self.now;
        let boots = self.api(actor.process.cluster).boots;
        let Some(watcher) = self.watcher(actor, kind) else { return };
        watcher.planned = false;
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
        self.plan(pause.0, pause.1, Step::Watch(actor, kind));
    }

    fn identify(&mut self, actor: Actor, kind: Kind) {
        if self.gate(actor.process.cluster) != Ok(true) {
            return self.step_back(actor, kind, (200, 5_000));
        }
        let blind = self.settings.planted == Some(Planted::RestoreUnnoticed);
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
        let back = !watcher.relist && watcher.cursor.is_some_and(|cursor| newest < cursor);
        self.announce(actor, kind, changed);
        if back {
            return self.went_back(actor, kind);
        }
        self.plan(1, 30, Step::Watch(actor, kind));
    }

    /// The versions are below those that were seen: nothing that was seen can be relied on.
    fn went_back(&mut self, actor: Actor, kind: Kind) {
        let blind = self.settings.planted == Some(Planted::RestoreUnnoticed);
        let Some(running) = self.running(actor) else { return };
        let Some(watcher) = running.watchers.get_mut(&kind) else { return };
        watcher.cursor = None;
        watcher.relist = true;
        let changed = if blind { None } else { running.life.went_back(watcher.generation) };
        self.announce(actor, kind, changed);
        self.step_back(actor, kind, (1, 30));
    }

    fn announce(&mut self, actor: Actor, kind: Kind, changed: Option<Event>) {
        if let Some(event) = changed {
            self.note(|| format!("{} {kind}: {event:?}", actor.process));
            self.post(actor, Message::Input(Input::Observe(vec![event])));
        }
    }

    fn open(&mut self, actor: Actor, kind: Kind) {
        if self.gate(actor.process.cluster) != Ok(true) {
            return self.step_back(actor, kind, (200, 5_000));
        }
        let now = self.now;
        let api = self.api(actor.process.cluster);
        let (boots, compacted, newest) = (api.boots, api.compacted(), api.version());
        let unchecked = self.settings.planted == Some(Planted::ListsMayGoBack);
        let Some(watcher) = self.watcher(actor, kind) else { return };
        watcher.boot = boots;
        if watcher.relist && watcher.cursor.is_some_and(|cursor| newest < cursor) && !unchecked {
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
            self.plan(1, 50, Step::Watch(actor, kind));
            return;
        }
        watcher.stage = Stage::Follow(newest);
        watcher.cursor = Some(newest);
        watcher.relist = false;
        watcher.recorded_at = now;
        watcher.relist_at = now + RELIST_EVERY;
        let asked = std::mem::take(&mut watcher.asked);
        self.list(actor, kind);
        for id in asked {
            let resource_version = version(newest);
            self.post(actor, Message::Outcome(id, Outcome::Succeeded { resource_version }));
        }
        let at = self.now + RELIST_EVERY + self.chance.below(RELIST_EVERY / 5);
        self.plan_at(at, Step::Watch(actor, kind));
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
        if self.settings.planted != Some(Planted::GapIsDeletion) {
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
        let next = if back { position.saturating_sub(depth).max(compacted) } else { reached };
        if back {
            self.note(|| format!("{} {kind}: the watch goes back to {next}", actor.process));
        }
        self.hand_over(actor, kind, taken);
        let Some(watcher) = self.watcher(actor, kind) else { return };
        watcher.stage = Stage::Follow(next);
        if watcher.cursor.is_none_or(|cursor| cursor < reached) {
            watcher.cursor = Some(reached);
        }
        let cursor = watcher.cursor;
        if more || back {
            watcher.planned = true;
            self.plan(1, 100, Step::Watch(actor, kind));
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
