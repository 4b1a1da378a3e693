//! A watch of one kind, with everything that can happen to it.

use std::collections::BTreeMap;
use std::rc::Rc;

use liqo_domain::{Input, Listed, Outcome};
use liqo_events::{CommandId, CursorMoved, Event, Proof, Vanished};
use liqo_model::{Kind, ObjectKey};

use super::{Actor, Message, Watched};
use crate::api::{Change, Stored, version};
use crate::queue::Step;
use crate::settings::{Fault, Planted};
use crate::world::World;

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

impl World {
    /// Whoever follows a kind that changed is going to look, in whatever cluster it is.
    pub(crate) fn wake_watchers(&mut self, server: usize) {
        let Self { clusters, chance, queue, now, calm, .. } = self;
        let newest: BTreeMap<Kind, u64> = clusters[server].api.newest_of_all().collect();
        for process in clusters.iter_mut().flat_map(|cluster| &mut cluster.processes) {
            let actor = process.actor();
            let Some(running) = &mut process.running else { continue };
            for (watched, watcher) in &mut running.watchers {
                let Stage::Follow(position) = watcher.stage else { continue };
                let soon = watcher.turn.is_some_and(|turn| turn <= *now + LATE);
                let behind = newest.get(&watched.kind).is_some_and(|newest| *newest > position);
                if watched.server != server || soon || !behind {
                    continue;
                }
                let longest = if !*calm && chance.one_in(30) { LATE } else { 150 };
                let at = *now + chance.between(1, longest);
                watcher.turn = Some(at);
                queue.push(at, Step::Watch(actor, *watched), chance);
            }
        }
    }

    /// The lease wants lists of everything in the own cluster.
    pub(crate) fn relist_everything(&mut self, actor: Actor) {
        self.relist_where(actor, |watched| watched.server == actor.process.cluster);
    }

    /// Some watches begin anew with a list.
    pub(crate) fn relist_where(&mut self, actor: Actor, wanted: impl Fn(&Watched) -> bool) {
        let watchers = self.running(actor).into_iter().flat_map(|running| running.watchers.keys());
        let all: Vec<Watched> = watchers.filter(|watched| wanted(watched)).copied().collect();
        for watched in all {
            self.relist(actor, watched);
        }
    }

    pub(crate) fn relist(&mut self, actor: Actor, watched: Watched) {
        if let Some(watcher) = self.running(actor).and_then(|running| running.watchers.get_mut(&watched)) {
            watcher.relist = true;
        }
        self.turn(actor, watched, (1, 50));
    }

    /// The watch takes its next turn within a time. It has one turn at a time, the earliest.
    pub(crate) fn turn(&mut self, actor: Actor, watched: Watched, pause: (u64, u64)) {
        let at = self.now + self.chance.between(pause.0, pause.1);
        self.turn_at(actor, watched, at);
    }

    fn turn_at(&mut self, actor: Actor, watched: Watched, at: u64) {
        let Some(watcher) = self.watcher(actor, watched) else { return };
        if watcher.turn.is_none_or(|turn| at < turn) {
            watcher.turn = Some(at);
            self.plan_at(at, Step::Watch(actor, watched));
        }
    }

    fn watcher(&mut self, actor: Actor, watched: Watched) -> Option<&mut Watcher> {
        self.running(actor).and_then(|running| running.watchers.get_mut(&watched))
    }

    /// Goes one step on.
    pub(crate) fn watch(&mut self, actor: Actor, watched: Watched) {
        let now = self.now;
        let boots = self.api(watched.server).boots;
        let Some(running) = self.running(actor) else { return };
        let generation = running.lives.at(watched.server).generation;
        let Some(watcher) = running.watchers.get_mut(&watched) else { return };
        // Another turn was planned for earlier, and taken.
        if watcher.turn.is_none_or(|turn| now < turn) {
            return;
        }
        watcher.turn = None;
        // What an earlier state of the cluster said must not be taken for what this one says, and a list of an earlier
        // generation decides nothing: whoever began the new one, every watch begins anew.
        if watcher.stage != Stage::Identify && watcher.generation != generation {
            return self.step_back(actor, watched, (1, 30));
        }
        match watcher.stage {
            Stage::Identify => self.identify(actor, watched),
            Stage::Open => self.open(actor, watched),
            Stage::Follow(_) => {
                if watcher.broken || watcher.boot != boots || self.is_down(watched.server) {
                    return self.step_back(actor, watched, (50, 4_000));
                }
                let Some(watcher) = self.watcher(actor, watched) else { return };
                if watcher.relist || watcher.relist_at <= now {
                    watcher.relist = true;
                    return self.step_back(actor, watched, (1, 20));
                }
                self.deliver(actor, watched);
            }
        }
    }

    /// Begins anew with the question whether it is the same cluster.
    fn step_back(&mut self, actor: Actor, watched: Watched, pause: (u64, u64)) {
        if let Some(watcher) = self.watcher(actor, watched) {
            watcher.stage = Stage::Identify;
            watcher.broken = false;
        }
        self.turn(actor, watched, pause);
    }

    fn identify(&mut self, actor: Actor, watched: Watched) {
        if self.gate(watched.server) != Ok(true) {
            return self.step_back(actor, watched, (200, 5_000));
        }
        if watched.server == actor.process.cluster {
            self.hear_witness(actor);
        }
        let blind = self.is(Planted::RestoreUnnoticed);
        let unchecked = blind || self.is(Planted::VersionsNotCompared);
        let api = self.api(watched.server);
        let (uid, newest) = (api.uid.clone(), api.version());
        let Some(running) = self.running(actor) else { return };
        let first = running.lives.at(watched.server).generation == 0;
        let changed = if blind && !first { None } else { running.lives.at(watched.server).seen(&uid) };
        let generation = running.lives.at(watched.server).generation;
        let Some(watcher) = running.watchers.get_mut(&watched) else { return };
        if watcher.generation != generation {
            watcher.generation = generation;
            watcher.cursor = None;
            watcher.relist = true;
        }
        watcher.stage = Stage::Open;
        let back = !watcher.relist
            && running.lives.at(watched.server).is_ahead_of(watched.kind, newest)
            && !unchecked;
        self.announce(actor, watched.server, changed);
        if back {
            return self.went_back(actor, watched);
        }
        self.turn(actor, watched, (1, 30));
    }

    /// The versions are below those that were seen: nothing that was seen can be relied on.
    fn went_back(&mut self, actor: Actor, watched: Watched) {
        let Some(running) = self.running(actor) else { return };
        let Some(watcher) = running.watchers.get_mut(&watched) else { return };
        watcher.cursor = None;
        watcher.relist = true;
        let changed = running.lives.at(watched.server).went_back(watcher.generation);
        self.announce(actor, watched.server, changed);
        self.step_back(actor, watched, (1, 30));
    }

    fn open(&mut self, actor: Actor, watched: Watched) {
        if self.gate(watched.server) != Ok(true) || !self.may_look(actor, watched) {
            return self.step_back(actor, watched, (200, 5_000));
        }
        let now = self.now;
        let api = self.api(watched.server);
        let (boots, compacted, newest) = (api.boots, api.compacted(), api.version());
        let unchecked = self.is(Planted::VersionsNotCompared) || self.is(Planted::RestoreUnnoticed);
        let contradicted = self.is_contradicted(actor, watched);
        let Some(running) = self.running(actor) else { return };
        let ahead = running.lives.at(watched.server).is_ahead_of(watched.kind, newest) || contradicted;
        let Some(watcher) = running.watchers.get_mut(&watched) else { return };
        watcher.boot = boots;
        if watcher.relist && ahead && !unchecked {
            return self.went_back(actor, watched);
        }
        let from = watcher.cursor.filter(|_| !watcher.relist);
        if let Some(cursor) = from {
            if cursor < compacted {
                watcher.relist = true;
                self.note(|| format!("{} {watched}: 410, {cursor} is older than {compacted}", actor.process));
                self.gap(actor, watched);
                return self.step_back(actor, watched, (1, 500));
            }
            watcher.stage = Stage::Follow(cursor);
            watcher.relist_at = watcher.relist_at.min(now + RELIST_EVERY);
            self.turn(actor, watched, (1, 50));
            return;
        }
        watcher.stage = Stage::Follow(newest);
        watcher.cursor = Some(newest);
        running.lives.at(watched.server).reached(watched.kind, newest, watcher.generation);
        watcher.relist = false;
        watcher.recorded_at = now;
        watcher.relist_at = now + RELIST_EVERY;
        let asked = std::mem::take(&mut watcher.asked);
        self.list(actor, watched);
        for id in asked {
            let resource_version = version(newest);
            self.post(actor, Message::Outcome(id, Outcome::Succeeded { resource_version }));
        }
        self.turn_at(actor, watched, now + RELIST_EVERY);
    }

    /// Whether a list shows an object as it was before it was last seen: the store was taken to another backup, maybe a
    /// newer one.
    fn is_contradicted(&self, actor: Actor, watched: Watched) -> bool {
        let process = &self.clusters[actor.process.cluster].processes[actor.process.replica];
        let Some(running) = &process.running else { return false };
        let (state, sight) = (running.writer.state(), running.sight(actor, watched));
        let generation = state.generation(&sight.cluster);
        // The engine may not have heard of the present generation yet.
        if Some(generation) != running.lives.generation(watched.server) {
            return false;
        }
        self.clusters[watched.server].api.list(watched.kind).any(|object| {
            let known = state.objects.get(&sight.key(&object.key));
            let known = known.filter(|known| known.cluster_generation == generation);
            known.is_some_and(|known| version(object.version).is_older_than(&known.resource_version))
        })
    }

    /// A complete list: every object, then what is present.
    fn list(&mut self, actor: Actor, watched: Watched) {
        let Some(running) = self.running(actor) else { return };
        let sight = running.sight(actor, watched);
        let Some(generation) = running.watchers.get(&watched).map(|watcher| watcher.generation) else {
            return;
        };
        let api = self.api(watched.server);
        let resource_version = version(api.version());
        let shown = api.list(watched.kind).filter(|object| sight.shows(object));
        let objects: Vec<Rc<Stored>> = shown.cloned().collect();
        self.note(|| {
            let names: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
            format!("{} lists {watched} at {resource_version}: {names:?}", actor.process)
        });
        let present = objects.iter().map(|object| (sight.key(&object.key), object.uid.clone())).collect();
        let events: Vec<Event> = objects.iter().map(|object| sight.applied(object)).collect();
        let listed = Listed { watch: sight.watch(watched.kind), resource_version, generation, present };
        self.post(actor, Message::Input(Input::Observe(events)));
        self.post(actor, Message::Input(Input::Listed(listed)));
        let Some(running) = self.running(actor) else { return };
        for object in objects {
            running.remember(sight.key(&object.key), object);
        }
        if watched.server == actor.process.cluster {
            self.listed_before_live(actor, watched.kind);
        }
    }

    /// One kind less that is to be listed before the process may act.
    fn listed_before_live(&mut self, actor: Actor, kind: Kind) {
        let Some(running) = self.running(actor) else { return };
        let Some((epoch, missing)) = &mut running.before_live else { return };
        missing.remove(&kind);
        if missing.is_empty() {
            let epoch = *epoch;
            running.before_live = None;
            self.post(actor, Message::Input(Input::GoLive { epoch }));
        }
    }

    /// A fault that can be planted: what may have been missed counts as deleted.
    fn gap(&mut self, actor: Actor, watched: Watched) {
        if !self.is(Planted::GapIsDeletion) {
            return;
        }
        let Some(running) = self.running(actor) else { return };
        let known = running.writer.state().local(watched.kind);
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
    fn deliver(&mut self, actor: Actor, watched: Watched) {
        let faulty = !self.calm && self.settings.faults.contains(&Fault::Watch);
        let (lose, repeat, back) = (
            faulty && self.chance.one_in(40),
            faulty && self.chance.one_in(40),
            faulty && self.chance.one_in(80),
        );
        let most = self.chance.between(1, 6);
        let bookmark = self.chance.one_in(4);
        let depth = self.chance.between(1, 30);
        let api = &self.clusters[watched.server].api;
        let (newest, compacted) = (api.version(), api.compacted());
        let Some(Stage::Follow(position)) = self.watcher(actor, watched).map(|watcher| watcher.stage) else {
            return;
        };
        let api = &self.clusters[watched.server].api;
        let Ok(changes) = api.since(watched.kind, position) else {
            // Compacted under an open watch: the connection ends with 410.
            if let Some(watcher) = self.watcher(actor, watched) {
                watcher.relist = true;
            }
            self.gap(actor, watched);
            return self.step_back(actor, watched, (1, 500));
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
                    "{} {watched}: the change of {} at {} is lost",
                    actor.process, lost.object.key, lost.version
                )
            });
        }
        if repeat {
            taken.extend(taken.last().cloned());
        }
        // A connection never gives what is older than it was asked for, and the earliest that anybody asks for is the
        // cursor in the log, as after a restart.
        let recorded = self.recorded_cursor(actor, watched);
        let next = if back { position.saturating_sub(depth).max(compacted).max(recorded) } else { reached };
        if back {
            self.note(|| format!("{} {watched}: the watch goes back to {next}", actor.process));
        }
        self.hand_over(actor, watched, taken);
        let Some(running) = self.running(actor) else { return };
        let Some(watcher) = running.watchers.get_mut(&watched) else { return };
        running.lives.at(watched.server).reached(watched.kind, reached, watcher.generation);
        watcher.stage = Stage::Follow(next);
        if watcher.cursor.is_none_or(|cursor| cursor < reached) {
            watcher.cursor = Some(reached);
        }
        let cursor = watcher.cursor;
        let relist_at = watcher.relist_at;
        if more || back {
            self.turn(actor, watched, (1, 100));
        } else {
            self.turn_at(actor, watched, relist_at);
        }
        self.record_cursor(actor, watched, cursor);
    }

    fn hand_over(&mut self, actor: Actor, watched: Watched, mut taken: Vec<Change>) {
        let Some(running) = self.running(actor) else { return };
        let sight = running.sight(actor, watched);
        taken.retain(|change| sight.shows(&change.object));
        if taken.is_empty() {
            return;
        }
        let events: Vec<Event> = taken.iter().map(|change| sight.event(change)).collect();
        self.note(|| {
            let names: Vec<String> = taken
                .iter()
                .map(|change| {
                    let what = if change.deleted { "gone " } else { "" };
                    format!("{what}{} at {}", change.object.key, change.version)
                })
                .collect();
            format!("{} {watched}: sees {names:?}", actor.process)
        });
        if let Some(running) = self.running(actor) {
            for change in taken {
                let key = sight.key(&change.object.key);
                if change.deleted {
                    running.cache.remove(&key);
                } else {
                    running.remember(key, change.object);
                }
            }
        }
        self.post(actor, Message::Input(Input::Observe(events)));
    }

    fn recorded_cursor(&self, actor: Actor, watched: Watched) -> u64 {
        let process = &self.clusters[actor.process.cluster].processes[actor.process.replica];
        let running = process.running.as_ref();
        running.and_then(|running| running.recorded(actor, watched)).unwrap_or(0)
    }

    fn record_cursor(&mut self, actor: Actor, watched: Watched, cursor: Option<u64>) {
        let now = self.now;
        let Some(watcher) = self.watcher(actor, watched) else { return };
        let Some(cursor) = cursor.filter(|_| watcher.recorded_at + CURSOR_EVERY <= now) else { return };
        watcher.recorded_at = now;
        let Some(running) = self.running(actor) else { return };
        let watch = running.sight(actor, watched).watch(watched.kind);
        let moved = CursorMoved { watch, resource_version: version(cursor) };
        self.post(actor, Message::Input(Input::Observe(vec![Event::CursorMoved(moved)])));
    }
}

impl super::Running {
    /// The cursor of a watch that the log has.
    pub(super) fn recorded(&self, actor: Actor, watched: Watched) -> Option<u64> {
        let watch = self.sight(actor, watched).watch(watched.kind);
        let cursors = &self.writer.state().cursors;
        let cursor = cursors.get(&(watch.cluster, watch.kind, watch.selector))?;
        cursor.body.resource_version.as_str().parse().ok()
    }

    /// Keeps a body for the actuator; an older version of the same life does not return.
    pub(super) fn remember(&mut self, key: ObjectKey, object: Rc<Stored>) {
        let newer = self
            .cache
            .get(&key)
            .is_none_or(|known| known.uid != object.uid || known.version <= object.version);
        if newer {
            self.cache.insert(key, object);
        }
    }
}
