//! Folds events into the state. Nothing here decides, and nothing here fails.

use liqo_events::{
    Applied, CursorMoved, Deadline, DeadlinePassed, Event, GenerationChanged, LeaseGained, LeaseLost, Proof,
    Recorded, RelistCompleted, Seq, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion};

use crate::aggregate::Aggregate;
use crate::offloading::OFFLOADING_NAME;
use crate::state::{Fact, Grave, Lease, Object, State};
use crate::touch::Change;

/// Folds one event in.
pub(crate) fn evolve(state: &mut State, recorded: &Recorded) {
    state.derived.touched.clear();
    let (seq, at) = (recorded.seq, recorded.recorded_at);
    match &recorded.event {
        Event::Started(body) => {
            state.started = Some(fact(seq, at, body));
            state.touch(Aggregate::Identity);
            state.touch(Aggregate::Network);
            state.touch(Aggregate::Peers);
        }
        Event::Applied(applied) => state.evolve_applied(seq, at, applied.clone()),
        Event::Vanished(vanished) => state.evolve_vanished(seq, at, vanished),
        Event::CursorMoved(body) => {
            state.move_cursor(fact(seq, at, body));
        }
        Event::RelistCompleted(body) => state.evolve_relisted(seq, at, body),
        Event::GenerationChanged(body) => state.evolve_generation(seq, at, body),
        Event::Configured(_)
        | Event::TunnelReported(_)
        | Event::ServerProbed(_)
        | Event::SharingConfigured(_)
        | Event::ShareReported(_)
        | Event::SubnetsChosen(_)
        | Event::SubnetsReleased(_)
        | Event::ExternalCidrChosen(_) => state.evolve_surroundings(seq, at, &recorded.event),
        Event::DeadlinePassed(body) => state.evolve_deadline(seq, body),
        Event::LeaseGained(body) => state.evolve_lease_gained(seq, at, body),
        Event::LeaseLost(body) => state.evolve_lease_lost(seq, at, body),
        Event::OrphanNoticed(body) => state.evolve_noticed(seq, at, body),
        Event::OrphanReleased(body) => state.evolve_released(seq, body),
        Event::IdentityChosen(body) => {
            state.identity = Some(fact(seq, at, body));
            for aggregate in [
                Aggregate::Identity,
                Aggregate::Peers,
                Aggregate::Offloadings,
                Aggregate::Network,
                Aggregate::Replication,
            ] {
                state.touch(aggregate);
            }
        }
        Event::RemoteNamespaceChosen(body) => {
            state.remote_names.insert(body.namespace.clone(), fact(seq, at, body));
            state.touch(Aggregate::Offloading(body.namespace.clone()));
        }
        Event::Rejected(body) => {
            state.rejected.insert(body.object.clone(), fact(seq, at, body));
        }
        Event::CommandIssued(issued) => state.evolve_issued(seq, at, issued),
        Event::CommandSucceeded(done) => {
            state.evolve_succeeded(seq, at, done);
            state.touch_slot(&done.slot);
        }
        // What is taken back because of a decision has that for its cause; the end of a try comes from outside.
        Event::CommandSuperseded(done) => {
            state.evolve_superseded(seq, at, done.id, recorded.caused_by.is_some());
        }
        Event::CommandFailed(failed) => state.evolve_failed(seq, at, failed),
    }
}

/// Folds one event in that nobody needs afterwards: most are observations, and the state takes over what they say.
pub(crate) fn fold(state: &mut State, recorded: Recorded) {
    let Recorded { seq, recorded_at, event, .. } = recorded;
    state.derived.replays = true;
    match event {
        Event::Applied(applied) => {
            state.derived.touched.clear();
            state.evolve_applied(seq, recorded_at, applied);
        }
        event => evolve(state, &Recorded { seq, recorded_at, event, ..recorded }),
    }
    state.derived.replays = false;
}

fn fact<T: Clone>(seq: Seq, at: UnixMillis, body: &T) -> Fact<T> {
    Fact { seq, at, body: body.clone() }
}

impl State {
    fn evolve_applied(&mut self, seq: Seq, at: UnixMillis, applied: Applied) {
        let key = applied.object;
        let object = Object {
            uid: applied.uid,
            resource_version: applied.resource_version,
            generation: applied.generation,
            created_at: applied.created_at,
            deleting: applied.deleting,
            digest: applied.digest,
            facts: applied.facts,
            seen: seq,
            seen_at: at,
            cluster_generation: self.generation(&key.cluster),
            coalesced: applied.coalesced,
        };
        self.forget_overwritten(&key, &object);
        self.settle_written(&key, &object);
        self.graves.remove(&key);
        // Taken out and put back: a copy of what was known would be most of the time that a replay takes.
        let earlier = self.objects.remove(&key);
        let before = earlier.as_ref().map(|earlier| &earlier.facts);
        self.account(&key, before, Some(&object.facts));
        self.derived.relate(&key, before, Some(&object.facts));
        // A new life with the old name: what was said of the old one does not hold any more.
        let differs = |earlier: &Object| earlier.uid != object.uid || earlier.facts != object.facts;
        if self.rejected.contains_key(&key) && earlier.as_ref().is_none_or(differs) {
            self.rejected.remove(&key);
        }
        let turns = |old: &Object| old.uid != object.uid || old.deleting != object.deleting;
        let turns = earlier.as_ref().is_none_or(turns);
        self.touch_object(&key, Change { before, after: Some(&object.facts), turns });
        if key.kind == Kind::NamespaceOffloading && key.name == OFFLOADING_NAME {
            self.gone_offloadings.remove(&NamespaceName::new(key.namespace.as_str()));
        }
        self.objects.insert(key.clone(), object);
        self.map_anew_after(&key);
        self.review_orphans_after(&key);
    }

    fn evolve_vanished(&mut self, seq: Seq, at: UnixMillis, vanished: &Vanished) {
        let Some(known) = self.objects.get(&vanished.object) else {
            // Its creation was missed, its end was not.
            self.bury(seq, at, vanished);
            self.mourn_offloading(seq, at, vanished, vanished.proof == Proof::Deleted);
            self.review_orphans_after(&vanished.object);
            return;
        };
        // Another life has taken the name: the death of the old one is old news.
        if known.uid != vanished.uid {
            return;
        }
        let facts = known.facts.clone();
        let proven = match vanished.proof {
            Proof::Deleted => true,
            Proof::AbsentFromList { generation } => {
                generation == known.cluster_generation
                    && generation == self.generation(&vanished.object.cluster)
            }
        };
        self.objects.remove(&vanished.object);
        self.account(&vanished.object, Some(&facts), None);
        self.derived.relate(&vanished.object, Some(&facts), None);
        self.map_anew_after(&vanished.object);
        self.bury(seq, at, vanished);
        self.rejected.remove(&vanished.object);
        self.forget_writes_to(&vanished.object);
        self.forget_mirrors_of(&vanished.object);
        self.touch_object(&vanished.object, Change { before: Some(&facts), after: None, turns: false });
        self.mourn_offloading(seq, at, vanished, proven);
        self.review_orphans_after(&vanished.object);
    }

    /// Remembers an offloading that is certainly gone for as long as a mapping of it is left.
    fn mourn_offloading(&mut self, seq: Seq, at: UnixMillis, vanished: &Vanished, proven: bool) {
        let object = &vanished.object;
        let is_offloading = object.kind == Kind::NamespaceOffloading && object.name == OFFLOADING_NAME;
        if !is_offloading || object.cluster != ClusterRef::Local {
            return;
        }
        let namespace = NamespaceName::new(object.namespace.as_str());
        self.remote_names.remove(&namespace);
        if proven && self.is_mapped(&namespace) {
            self.gone_offloadings.insert(namespace, Fact { seq, at, body: vanished.uid.clone() });
            self.touch(Aggregate::Orphans);
        }
    }

    /// Ends the wait for writes that the observation is not older than.
    fn settle_written(&mut self, key: &ObjectKey, object: &Object) {
        let Some(slots) = self.derived.awaited.get(key).cloned() else { return };
        let another_life = self.objects.get(key).is_some_and(|known| known.uid != object.uid);
        for slot in slots {
            let waits = self
                .written
                .get(&slot)
                .is_some_and(|written| object.resource_version.is_older_than(&written.resource_version));
            if another_life || !waits {
                self.forget_written(&slot);
                // What it was done for may have waited for it to be seen.
                self.touch_slot(&slot);
            }
        }
    }

    /// A list shows every write up to its version. What it does not show is gone, and maybe nobody saw it come.
    fn settle_written_before(&mut self, watch: &WatchKey, version: &ResourceVersion) {
        let shown = self.written.iter().filter(|(slot, written)| {
            slot.object.cluster == watch.cluster
                && slot.object.kind == watch.kind
                && !version.is_older_than(&written.resource_version)
        });
        let shown: Vec<_> = shown.map(|(slot, _)| slot.clone()).collect();
        for slot in shown {
            self.forget_written(&slot);
        }
    }

    fn forget_writes_to(&mut self, key: &ObjectKey) {
        for slot in self.derived.awaited.get(key).cloned().unwrap_or_default() {
            self.forget_written(&slot);
        }
    }

    fn evolve_relisted(&mut self, seq: Seq, at: UnixMillis, body: &RelistCompleted) {
        // A list that was begun in an earlier generation says nothing of this one, and its version is no cursor here.
        if body.generation != self.generation(&body.watch.cluster) {
            return;
        }
        self.lists.insert(body.watch.clone(), fact(seq, at, body));
        let cursor =
            CursorMoved { watch: body.watch.clone(), resource_version: body.resource_version.clone() };
        self.move_cursor(Fact { seq, at, body: cursor });
        self.settle_written_before(&body.watch, &body.resource_version);
        self.touch_listed(&body.watch);
    }

    /// From now on a watch begins there, and shows nothing any more of what had gone by then.
    fn move_cursor(&mut self, cursor: Fact<CursorMoved>) {
        let watch = &cursor.body.watch;
        let first = ObjectKey {
            cluster: watch.cluster.clone(),
            kind: watch.kind,
            namespace: String::new(),
            name: String::new(),
        };
        let graves = self.graves.range(first..);
        let graves = graves.take_while(|(key, _)| key.cluster == watch.cluster && key.kind == watch.kind);
        let graves = graves.filter(|(key, _)| watch.reaches(&key.namespace));
        let passed = graves
            .filter(|(_, grave)| !cursor.body.resource_version.is_older_than(&grave.body.resource_version));
        let passed: Vec<_> = passed.map(|(key, _)| key.clone()).collect();
        for key in passed {
            self.graves.remove(&key);
        }
        self.cursors.insert(Self::cursor_key(watch), cursor);
    }

    /// Remembers the end of an object for as long as a watch may show its life once more.
    fn bury(&mut self, seq: Seq, at: UnixMillis, vanished: &Vanished) {
        let (object, version) = (&vanished.object, &vanished.resource_version);
        let passed = self
            .cursors_of(&object.cluster, object.kind)
            .filter(|cursor| cursor.body.watch.reaches(&object.namespace))
            .any(|cursor| !cursor.body.resource_version.is_older_than(version));
        // Without a version there is nothing to tell an earlier life by.
        if passed || version.is_empty() {
            return;
        }
        let grave = Grave { uid: vanished.uid.clone(), resource_version: version.clone() };
        self.graves.insert(vanished.object.clone(), Fact { seq, at, body: grave });
    }

    fn evolve_generation(&mut self, seq: Seq, at: UnixMillis, body: &GenerationChanged) {
        self.clusters.insert(body.cluster.clone(), fact(seq, at, body));
        // Versions of before have no order with those to come, so nothing waits for them.
        let waiting: Vec<ObjectKey> =
            self.derived.awaited.keys().filter(|key| key.cluster == body.cluster).cloned().collect();
        for key in waiting {
            self.forget_writes_to(&key);
        }
        let stale: Vec<_> =
            self.cursors.iter().map(|(key, _)| key.clone()).filter(|key| key.0 == body.cluster).collect();
        for key in stale {
            self.cursors.remove(&key);
        }
        let graves = self.graves.iter().map(|(key, _)| key).filter(|key| key.cluster == body.cluster);
        let graves: Vec<_> = graves.cloned().collect();
        for key in graves {
            self.graves.remove(&key);
        }
        let listed: Vec<_> = self.lists.iter().map(|(watch, _)| watch.clone()).collect();
        for watch in listed.into_iter().filter(|watch| watch.cluster == body.cluster) {
            self.lists.remove(&watch);
        }
        self.forget_plans_for(&body.cluster);
    }

    /// What was to be done to a cluster was decided on what its earlier life had; the lists of this life decide anew.
    fn forget_plans_for(&mut self, cluster: &ClusterRef) {
        let commands =
            self.outbox.iter().filter(|(_, pending)| pending.command.slot.object.cluster == *cluster);
        let commands: Vec<_> = commands.map(|(id, _)| *id).collect();
        for id in commands {
            self.drop_command(id);
        }
        let orphans = self.orphans.iter().filter(|((map, _), _)| map.cluster == *cluster);
        let orphans: Vec<_> = orphans.map(|(key, _)| key.clone()).collect();
        for key in orphans {
            self.disarm_orphan(&key);
            self.orphans.remove(&key);
        }
    }

    fn evolve_deadline(&mut self, seq: Seq, body: &DeadlinePassed) {
        match &body.deadline {
            Deadline::Retry(id) => self.evolve_retry_due(*id),
            Deadline::Orphan { map, namespace } => {
                self.evolve_second_look(seq, &(map.clone(), namespace.clone()));
            }
        }
    }

    fn evolve_lease_gained(&mut self, seq: Seq, at: UnixMillis, body: &LeaseGained) {
        self.lease = Lease { epoch: body.epoch, held: true, continued: body.continued, seq, at };
        // Somebody else may have acted since these were given. Everything is looked at and planned anew; what nobody wants
        // any more would be carried out otherwise, because no plan comes past it.
        if !body.continued {
            let commands: Vec<_> = self.outbox.iter().map(|(id, _)| *id).collect();
            for id in commands {
                self.drop_command(id);
            }
        }
    }

    fn evolve_lease_lost(&mut self, seq: Seq, at: UnixMillis, body: &LeaseLost) {
        let epoch = self.lease.epoch.max(body.epoch);
        self.lease = Lease { epoch, held: false, continued: false, seq, at };
    }
}
