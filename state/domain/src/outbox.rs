//! Commands that were given and have not ended. Retries are state: no task sleeps for them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use liqo_events::{
    Command, CommandFailed, CommandId, CommandIssued, CommandSucceeded, Condition, Deadline, Disposition,
    Effect, Event, Seq, Slot, UnixMillis, WatchKey,
};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey, ResourceVersion};
use sha2::{Digest, Sha256};

use crate::machine::{Output, Ready};
use crate::state::{State, Written};

/// The version of what was not there and was not written either.
const NEVER: &str = "0";

/// What a command in the outbox waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// For nothing: it may be carried out.
    Ready,
    /// For its next try.
    Retry {
        /// Milliseconds from the last failure.
        after_millis: u64,
    },
    /// For a change of what it is about.
    Parked,
}

/// A command without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending {
    /// The command.
    pub command: Command,
    /// Where it was issued.
    pub issued: Seq,
    /// When.
    pub issued_at: UnixMillis,
    /// How often it was tried.
    pub attempts: u32,
    /// What it waits for.
    pub waiting: Waiting,
    /// The last failure, with where and when it was recorded.
    pub failure: Option<(Seq, UnixMillis, String)>,
}

/// What a planner wants of one slot.
pub(crate) struct Wish {
    pub slot: Slot,
    pub effect: Effect,
    /// The observation that makes it necessary; a repair has another one, and so another command.
    pub because: Seq,
}

impl State {
    /// The command for a wish, unless it was given already and the world had no time to show it.
    pub(crate) fn request(&self, wish: Wish) -> Option<Output> {
        if self.is_underway(&wish) {
            return None;
        }
        let id = command_id(&wish);
        Some(Output::Do(Command { id, slot: wish.slot, effect: wish.effect }))
    }

    /// The command for a wish of which only a new answer counts: one that is under way, or nothing yet.
    pub(crate) fn request_anew(&self, wish: Wish) -> Option<Output> {
        let underway = self.derived.slots.contains_key(&wish.slot) && self.is_underway(&wish);
        if underway {
            return None;
        }
        let id = command_id(&wish);
        Some(Output::Do(Command { id, slot: wish.slot, effect: wish.effect }))
    }

    fn is_underway(&self, wish: &Wish) -> bool {
        let issued = self.derived.slots.get(&wish.slot).and_then(|id| self.outbox.get(id));
        if let Some(pending) = issued {
            let changed_since = pending.waiting == Waiting::Parked && wish.because > pending.issued;
            return effect_hash(&pending.command.effect) == effect_hash(&wish.effect) && !changed_since;
        }
        let Some(written) = self.written.get(&wish.slot) else { return false };
        written.effect == effect_hash(&wish.effect)
    }

    /// The command for a wish that is fulfilled already, as far as is known. One for the same that is under way is left
    /// to end: its outcome is on its way, and tells what fulfilled the wish. One for something else that may have been
    /// carried out, or was and has not been seen, would undo it: to take that back is not enough.
    pub(crate) fn ensure(&self, wish: Wish, fulfilled: bool) -> Option<Output> {
        if !fulfilled {
            return self.request(wish);
        }
        let wanted = effect_hash(&wish.effect);
        let Some(issued) = self.derived.slots.get(&wish.slot).and_then(|id| self.outbox.get(id)) else {
            let undone = self.awaited(&wish.slot).is_some_and(|written| written.effect != wanted);
            return if undone { self.request(wish) } else { None };
        };
        let same = effect_hash(&issued.command.effect) == wanted;
        match (same, issued.waiting) {
            (true, Waiting::Ready) => None,
            (true, _) | (false, Waiting::Parked) => self.withdraw(&wish.slot),
            (false, Waiting::Ready | Waiting::Retry { .. }) => self.request(wish),
        }
    }

    /// What is under way for a slot.
    pub(crate) fn pending_effect(&self, slot: &Slot) -> Option<&Effect> {
        let id = self.derived.slots.get(slot)?;
        self.outbox.get(id).map(|pending| &pending.command.effect)
    }

    /// Whether something is under way for a slot, or done and not seen yet.
    pub(crate) fn is_unsettled(&self, slot: &Slot) -> bool {
        self.derived.slots.contains_key(slot) || self.awaited(slot).is_some()
    }

    /// Whether a command for the slot succeeded after an event, and nothing was seen since.
    pub(crate) fn is_answered(&self, slot: &Slot, event: Seq) -> bool {
        self.written.get(slot).is_some_and(|written| written.seq > event)
    }

    /// A write whose result is newer than what is known of its object.
    fn awaited(&self, slot: &Slot) -> Option<&Written> {
        self.written.get(slot).filter(|written| {
            match self.objects.get(&slot.object) {
                Some(object) => object.resource_version.is_older_than(&written.resource_version),
                // What was not there and had no need of a write is not there still.
                None => written.resource_version.as_str() != NEVER,
            }
        })
    }

    /// Takes back what was asked for a slot and is not wanted any more.
    pub(crate) fn withdraw(&self, slot: &Slot) -> Option<Output> {
        let id = self.derived.slots.get(slot)?;
        let reason = "it is not wanted any more".to_owned();
        Some(Output::Record(Event::CommandSuperseded(liqo_events::CommandSuperseded { id: *id, reason })))
    }

    /// Takes back the commands that are not wanted any more and that no plan comes past, because what they were for is gone.
    pub(crate) fn withdraw_all(&self, unwanted: impl Fn(&Command) -> bool) -> Vec<Output> {
        let pending = self.outbox.iter().map(|(_, pending)| &pending.command);
        pending
            .filter(|command| unwanted(command))
            .filter_map(|command| self.withdraw(&command.slot))
            .collect()
    }

    /// The same of commands for objects of these kinds in a peer.
    pub(crate) fn withdraw_at(
        &self,
        peer: &ClusterId,
        kinds: &[Kind],
        unwanted: impl Fn(&Command) -> bool,
    ) -> Vec<Output> {
        let cluster = ClusterRef::Remote(peer.clone());
        let within = |kind: Kind| {
            let object =
                ObjectKey { cluster: cluster.clone(), kind, namespace: String::new(), name: String::new() };
            let slots = self.derived.slots.range(Slot { object, part: String::new() }..);
            let cluster = &cluster;
            slots.take_while(move |(slot, _)| slot.object.kind == kind && slot.object.cluster == *cluster)
        };
        let commands = kinds.iter().flat_map(|kind| within(*kind)).filter_map(|(_, id)| self.outbox.get(id));
        commands
            .filter(|pending| unwanted(&pending.command))
            .filter_map(|pending| self.withdraw(&pending.command.slot))
            .collect()
    }

    /// The command for a fresh look at everything of a kind.
    pub(crate) fn look_at(&self, kind: Kind, because: Seq) -> Option<Output> {
        let watch = self.local_list(kind)?.body.watch.clone();
        let slot = Slot { object: ObjectKey::local_cluster_scoped(kind, ""), part: "relist".to_owned() };
        self.request(Wish { slot, effect: Effect::Relist { watch }, because })
    }

    pub(crate) fn evolve_issued(&mut self, seq: Seq, at: UnixMillis, issued: &CommandIssued) {
        let command = &issued.command;
        if let Some(earlier) = self.derived.slots.get(&command.slot).copied() {
            self.drop_command(earlier);
        }
        self.drop_command(command.id);
        self.derived.slots.insert(command.slot.clone(), command.id);
        self.outbox.insert(
            command.id,
            Pending {
                command: command.clone(),
                issued: seq,
                issued_at: at,
                attempts: 0,
                waiting: Waiting::Ready,
                failure: None,
            },
        );
    }

    pub(crate) fn evolve_succeeded(&mut self, seq: Seq, at: UnixMillis, done: &CommandSucceeded) {
        let issued = self.outbox.get(&done.id).map(|pending| pending.issued);
        self.drop_command(done.id);
        self.mirror(seq, at, done);
        let version = self.version_after(done);
        let shown = issued.is_some_and(|issued| self.was_shown(&done.slot.object, &version, issued));
        if version.is_empty() || shown {
            self.forget_written(&done.slot);
            return;
        }
        self.await_observation(&done.slot);
        self.written.insert(
            done.slot.clone(),
            Written {
                id: done.id,
                effect: done.effect,
                resource_version: version,
                destructive: done.destructive,
                seq,
                at,
            },
        );
    }

    /// The version of an object after a write. A deletion tells none: until the object is seen to go, that is the one by
    /// which it is known, or it would be deleted again and again.
    fn version_after(&self, done: &CommandSucceeded) -> ResourceVersion {
        let known = self.objects.get(&done.slot.object).filter(|_| done.destructive);
        match known {
            Some(object) if done.resource_version.is_empty() => object.resource_version.clone(),
            _ => done.resource_version.clone(),
        }
    }

    /// Whether the version of an object was seen after a command was issued. What was seen before is what the command was
    /// planned on: an outcome that is no newer than that says nothing new, and to ask once more before the next look at
    /// the object would be answered the same again.
    fn was_shown(&self, key: &ObjectKey, version: &ResourceVersion, issued: Seq) -> bool {
        let after = |seen: Seq, newest: &ResourceVersion| seen > issued && !newest.is_older_than(version);
        let by_itself =
            self.objects.get(key).is_some_and(|object| after(object.seen, &object.resource_version));
        // A write can be the last one, as when it takes the last finalizer off.
        let by_its_end =
            self.graves.get(key).is_some_and(|grave| after(grave.seq, &grave.body.resource_version));
        let first = WatchKey { cluster: key.cluster.clone(), kind: key.kind, selector: String::new() };
        let mut lists = self
            .lists
            .range(first..)
            .take_while(|(watch, _)| watch.cluster == key.cluster && watch.kind == key.kind);
        by_itself || by_its_end || lists.any(|(_, list)| after(list.seq, &list.body.resource_version))
    }

    /// The command is pointless: what it was about is not what was known. To plan again from what is known would give the
    /// same once more, so this counts as done until the next look, unless there was one since.
    pub(crate) fn evolve_superseded(&mut self, seq: Seq, at: UnixMillis, id: CommandId, withdrawn: bool) {
        let Some(pending) = self.outbox.get(&id) else { return };
        let (slot, effect) = (pending.command.slot.clone(), effect_hash(&pending.command.effect));
        let known = self.objects.get(&slot.object);
        let looked = match known {
            Some(object) => object.seen > pending.issued,
            // What is about one life was issued when that was there; it has gone since.
            None => pending.command.effect.life().is_some(),
        };
        let version =
            known.map_or_else(|| ResourceVersion::new(NEVER), |object| object.resource_version.clone());
        self.drop_command(id);
        // What it had failed with may have been shown.
        self.touch_slot(&slot);
        if !(withdrawn || looked) {
            self.await_observation(&slot);
            let answer = Written { id, effect, resource_version: version, destructive: false, seq, at };
            self.written.insert(slot, answer);
        }
    }

    pub(crate) fn evolve_failed(&mut self, seq: Seq, at: UnixMillis, failed: &CommandFailed) {
        self.disarm_retry(failed.id);
        let waiting = match failed.disposition {
            Disposition::Retry { after_millis } => Waiting::Retry { after_millis },
            Disposition::Park => Waiting::Parked,
        };
        let known = self.outbox.update(&failed.id, |pending| {
            pending.attempts = failed.attempt;
            pending.waiting = waiting;
            pending.failure = Some((seq, at, failed.error.clone()));
        });
        // Meanwhile it may have come true, and nobody would take back what waits for a change that is over.
        if let Some(slot) = self.outbox.get(&failed.id).map(|pending| pending.command.slot.clone()) {
            self.touch_slot(&slot);
        }
        if let (true, Waiting::Retry { after_millis }) = (known, waiting) {
            self.derived.deadlines.insert((at.plus(after_millis), Deadline::Retry(failed.id), at));
        }
    }

    pub(crate) fn evolve_retry_due(&mut self, id: CommandId) {
        self.disarm_retry(id);
        self.outbox.update(&id, |pending| {
            if matches!(pending.waiting, Waiting::Retry { .. }) {
                pending.waiting = Waiting::Ready;
            }
        });
    }

    pub(crate) fn drop_command(&mut self, id: CommandId) {
        self.disarm_retry(id);
        let Some(pending) = self.outbox.remove(&id) else { return };
        if self.derived.slots.get(&pending.command.slot) == Some(&id) {
            self.derived.slots.remove(&pending.command.slot);
        }
    }

    fn disarm_retry(&mut self, id: CommandId) {
        let armed = self.outbox.get(&id).and_then(|pending| match (pending.waiting, &pending.failure) {
            (Waiting::Retry { after_millis }, Some((_, at, _))) => Some((at.plus(after_millis), *at)),
            _ => None,
        });
        if let Some((due, at)) = armed {
            self.derived.deadlines.remove(&(due, Deadline::Retry(id), at));
        }
    }

    fn await_observation(&mut self, slot: &Slot) {
        self.derived.awaited.entry(slot.object.clone()).or_default().insert(slot.clone());
    }

    pub(crate) fn forget_written(&mut self, slot: &Slot) {
        self.written.remove(slot);
        if let Some(slots) = self.derived.awaited.get_mut(&slot.object) {
            slots.remove(slot);
            if slots.is_empty() {
                self.derived.awaited.remove(&slot.object);
            }
        }
    }

    /// Commands that wait for nothing, in order of their issue, at most one a target.
    pub(crate) fn ready(&self) -> Vec<Ready> {
        let mut oldest: BTreeMap<&ObjectKey, &Pending> = BTreeMap::new();
        for (_, pending) in self.outbox.iter().filter(|(_, pending)| pending.waiting == Waiting::Ready) {
            let first = oldest.entry(&pending.command.slot.object).or_insert(pending);
            if pending.order() < first.order() {
                *first = pending;
            }
        }
        let mut ready: Vec<&Pending> = oldest.into_values().collect();
        ready.sort_by_key(|pending| pending.order());
        ready
            .into_iter()
            .map(|pending| Ready { command: pending.command.clone(), attempts: pending.attempts })
            .collect()
    }
}

impl Pending {
    fn order(&self) -> (Seq, CommandId) {
        (self.issued, self.command.id)
    }
}

/// SHA-256 of slot, effect and cause, cut to 16 bytes.
fn command_id(wish: &Wish) -> CommandId {
    let mut hash = Sha256::new();
    hash.update(wish.slot.to_string());
    hash.update([0]);
    hash.update(effect_hash(&wish.effect).to_be_bytes());
    hash.update(wish.because.0.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    CommandId(id)
}

/// The hash of an effect without the times of its conditions and without its cause, as [`CommandSucceeded::effect`] has
/// it: what says what it said is the same wish, whenever and why it began.
pub fn effect_hash(effect: &Effect) -> u64 {
    let timeless = |conditions: &mut Vec<Condition>| {
        conditions.iter_mut().for_each(|condition| condition.since = UnixMillis::default());
    };
    let mut effect = effect.clone();
    match &mut effect {
        Effect::WriteForeignClusterStatus { conditions, .. } => timeless(conditions),
        Effect::WriteOffloadingStatus { conditions, .. } => conditions.values_mut().for_each(timeless),
        Effect::MapNamespace { cause, .. } | Effect::Delete { cause, .. } => *cause = Seq::default(),
        Effect::Put { content } => *content = content.timeless(),
        Effect::PutStatus { status, .. } => *status = status.timeless(),
        Effect::WriteIdentity { .. }
        | Effect::LabelForeignCluster { .. }
        | Effect::EnsureTenantNamespace { .. }
        | Effect::SetFinalizer { .. }
        | Effect::SetScheduling { .. }
        | Effect::Relist { .. }
        | Effect::Authenticate { .. }
        | Effect::Replicate { .. }
        | Effect::ReplicateStatus { .. }
        | Effect::Reflect { .. }
        | Effect::MirrorStatus { .. }
        | Effect::Materialize { .. }
        | Effect::ApproveSigning { .. }
        | Effect::SetOwner { .. }
        | Effect::SetEnrolled { .. } => {}
    }
    // It is in events, and outlives the build as long as the types stay: so it is not the hash of the state.
    let mut hasher = DefaultHasher::new();
    effect.hash(&mut hasher);
    hasher.finish()
}
