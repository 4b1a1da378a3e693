//! Whether the cluster is still the one that it was, as the watches and the lease of one process find out together.
//!
//! Three things tell: the uid of the cluster, the lease, whose version and epoch only ever grow, and the newest version
//! of each kind that was seen in any way. The cursors of the log are not enough: they are recorded once a minute, so a
//! cluster that was restored while the process was away may be ahead of them and behind the objects in the same log.

use std::collections::BTreeMap;

use liqo_domain::{Input, State};
use liqo_events::{Event, GenerationChanged};
use liqo_model::{ClusterRef, Kind, Uid};

use super::{Actor, Message, WATCHED};
use crate::api::LeaseRecord;
use crate::settings::Planted;
use crate::world::World;

/// What a process knows of the life of its API server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) uid: Uid,
    pub(crate) generation: u64,
    /// Epoch and version of the lease as it was last seen or written.
    lease: (u64, u64),
    /// The newest version of each kind that was seen, in objects, lists, bookmarks and answers to own writes.
    newest: BTreeMap<Kind, u64>,
}

impl Life {
    /// What a log knows of it.
    pub(super) fn of(state: &State, cursors_alone: bool) -> Self {
        let Some(life) = state.clusters.get(&ClusterRef::Local) else { return Self::default() };
        let known = |kind| {
            let cursor = state.cursors.get(&(ClusterRef::Local, kind, String::new()));
            let cursor = cursor.map(|cursor| &cursor.body.resource_version);
            let newest = state.newest_version(&ClusterRef::Local, kind);
            let version = if cursors_alone { cursor } else { newest }?;
            Some((kind, version.as_str().parse().ok()?))
        };
        Self {
            uid: life.body.uid.clone(),
            generation: life.body.generation,
            lease: (state.lease.epoch, 0),
            newest: WATCHED.into_iter().filter_map(known).collect(),
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
        *self = Self { uid, generation: self.generation + 1, lease: self.lease, newest: BTreeMap::new() };
        Event::GenerationChanged(GenerationChanged {
            cluster: ClusterRef::Local,
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
        let changed = self.running(actor).and_then(|running| running.life.heard(&record));
        self.announce(actor, changed);
    }

    /// A term ends with the generation that it was gained in. What was decided for the old one is not to be done to the
    /// new one, and the epoch of the next term tells everybody, also in a store that is taken back once more.
    fn end_term(&mut self, actor: Actor) {
        let held = self.running(actor).and_then(|running| running.lease.epoch);
        if let Some(epoch) = held.filter(|_| !self.is(Planted::TermOutlivesGeneration)) {
            self.lose_lease(actor, epoch);
        }
    }

    /// The engine learns of a generation before anything of it.
    pub(super) fn announce(&mut self, actor: Actor, changed: Option<Event>) {
        if let Some(event) = changed {
            self.note(|| format!("{}: {event:?}", actor.process));
            self.post(actor, Message::Input(Input::Observe(vec![event])));
            self.end_term(actor);
            for kind in WATCHED {
                self.turn(actor, kind, (1, 30));
            }
        }
    }
}
