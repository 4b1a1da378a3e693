//! Whether the cluster is still the one that it was, as the watches and the lease of one process find out together.
//!
//! Three things tell: the uid of the cluster, the lease, whose version and epoch only ever grow, and the newest version
//! of each kind that was seen in any way. The cursors of the log are not enough: they are recorded once a minute, so a
//! cluster that was restored while the process was away may be ahead of them and behind the objects in the same log.

use std::collections::BTreeMap;

use liqo_domain::{Input, State};
use liqo_events::{Event, GenerationChanged};
use liqo_model::{ClusterRef, Kind, Uid};

use super::{Actor, Message, Watched};
use crate::api::LeaseRecord;
use crate::settings::Planted;
use crate::world::World;

/// What a process knows of the lives of the API servers that it talks to, by whose they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives(BTreeMap<usize, Life>);

impl Lives {
    pub(super) fn at(&mut self, server: usize) -> &mut Life {
        self.0.entry(server).or_default()
    }

    pub(super) fn generation(&self, server: usize) -> Option<u64> {
        self.0.get(&server).map(|life| life.generation)
    }

    /// What is known of a server whose cluster was not seen in this run.
    pub(super) fn begin(&mut self, server: usize, life: impl FnOnce() -> Life) {
        let known = self.0.entry(server).or_default();
        if known.generation == 0 {
            *known = life();
        }
    }
}

/// What a process knows of the life of an API server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    cluster: ClusterRef,
    pub(crate) uid: Uid,
    pub(crate) generation: u64,
    /// Epoch and version of the lease as it was last seen or written.
    lease: (u64, u64),
    /// The newest version of each kind that was seen, in objects, lists, bookmarks and answers to own writes.
    newest: BTreeMap<Kind, u64>,
}

impl Life {
    /// What a log knows of it.
    pub(super) fn of(state: &State, cluster: ClusterRef, cursors_alone: bool) -> Self {
        let Some(life) = state.clusters.get(&cluster) else { return Self { cluster, ..Self::default() } };
        let known = |kind: Kind| {
            let cursor = state.cursors.get(&(cluster.clone(), kind, String::new()));
            let cursor = cursor.map(|cursor| &cursor.body.resource_version);
            let newest = state.newest_version(&cluster, kind);
            let version = if cursors_alone { cursor } else { newest }?;
            Some((kind, version.as_str().parse().ok()?))
        };
        Self {
            uid: life.body.uid.clone(),
            generation: life.body.generation,
            lease: (state.lease.epoch, 0),
            newest: Kind::ALL.iter().copied().filter_map(known).collect(),
            cluster,
        }
    }

    /// The cluster was seen; gives the event when it is another one than before.
    pub(super) fn seen(&mut self, uid: &Uid) -> Option<Event> {
        if self.generation > 0 && self.uid == *uid {
            return None;
        }
        let reason = if self.generation == 0 { "seen for the first time" } else { "another uid: rebuilt" };
        Some(self.begin(uid.clone(), reason))
    }

    /// Versions went back in generation `mine`; gives the event when no other watch was faster.
    pub(super) fn went_back(&mut self, mine: u64) -> Option<Event> {
        (self.generation == mine).then(|| self.begin(self.uid.clone(), "versions went back: restored"))
    }

    /// The lease was read; gives the event when it is older than it was.
    fn heard(&mut self, record: &LeaseRecord) -> Option<Event> {
        let now = (record.epoch, record.version);
        let older = now.0 < self.lease.0 || now.1 < self.lease.1;
        self.lease = now;
        // Before the cluster was seen there is nothing to be told.
        (older && self.generation > 0).then(|| self.begin(self.uid.clone(), "the lease went back: restored"))
    }

    /// The lease was written.
    pub(super) fn wrote(&mut self, epoch: u64, version: u64) {
        self.lease = (epoch, version);
    }

    /// A version of a kind was seen in a generation.
    pub(super) fn reached(&mut self, kind: Kind, version: u64, generation: u64) {
        if generation == self.generation {
            let newest = self.newest.entry(kind).or_default();
            *newest = version.max(*newest);
        }
    }

    /// Whether a list of a kind that is as new as `version` lacks what was seen.
    pub(super) fn is_ahead_of(&self, kind: Kind, version: u64) -> bool {
        self.newest.get(&kind).is_some_and(|newest| version < *newest)
    }

    /// The newest version of any kind that was seen.
    pub(super) fn newest(&self) -> u64 {
        self.newest.values().copied().max().unwrap_or(0)
    }

    fn begin(&mut self, uid: Uid, reason: &str) -> Event {
        let (cluster, lease) = (self.cluster.clone(), self.lease);
        *self = Self { cluster, uid, generation: self.generation + 1, lease, newest: BTreeMap::new() };
        Event::GenerationChanged(GenerationChanged {
            cluster: self.cluster.clone(),
            uid: self.uid.clone(),
            generation: self.generation,
            reason: reason.to_owned(),
        })
    }
}

impl World {
    /// The lease is a witness: one that is older than it was is of an earlier state of the cluster.
    pub(super) fn hear_witness(&mut self, actor: Actor) {
        let blind = self.is(Planted::RestoreUnnoticed) || self.is(Planted::CursorsAlone);
        let Some(record) = self.api(actor.process.cluster).lease.clone().filter(|_| !blind) else { return };
        let changed =
            self.running(actor).and_then(|running| running.lives.at(actor.process.cluster).heard(&record));
        self.announce(actor, actor.process.cluster, changed);
    }

    /// A term ends with the generation that it was gained in. What was decided for the old one is not to be done to the
    /// new one, and the epoch of the next term tells everybody, also in a store that is taken back once more.
    fn end_term(&mut self, actor: Actor) {
        let held = self.running(actor).and_then(|running| running.lease.epoch);
        if let Some(epoch) = held.filter(|_| !self.is(Planted::TermOutlivesGeneration)) {
            self.lose_lease(actor, epoch);
        }
    }

    /// The engine learns of a generation before anything of it. A term is about the own cluster.
    pub(super) fn announce(&mut self, actor: Actor, server: usize, changed: Option<Event>) {
        let Some(event) = changed else { return };
        self.note(|| format!("{}: {event:?}", actor.process));
        self.post(actor, Message::Input(Input::Observe(vec![event])));
        if server == actor.process.cluster {
            self.end_term(actor);
        }
        let watchers = self.running(actor).into_iter().flat_map(|running| running.watchers.keys());
        let watched: Vec<Watched> = watchers.filter(|watched| watched.server == server).copied().collect();
        for watched in watched {
            self.turn(actor, watched, (1, 30));
        }
    }
}
