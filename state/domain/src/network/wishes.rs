//! Everything that is wanted of the objects of the network, and the end of what is wanted no more.

use std::collections::BTreeSet;

use liqo_events::{Effect, Event, Rejected, Seq, Slot};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};
use crate::surroundings::COPY;

/// The part that is the object itself: it is there, or is gone.
pub(super) const OBJECT: &str = "network";
/// The part that is our answer to the NetworkConfig of a peer.
pub(super) const ANSWER: &str = "network-answer";
/// The part that is our finalizer.
pub(super) const FINALIZER: &str = "network-finalizer";

/// Wishes of one plan. What was asked for by an earlier plan and is not wished any more is taken back.
pub(super) struct Wishes<'a> {
    pub(super) state: &'a State,
    outputs: Vec<Output>,
    slots: BTreeSet<Slot>,
}

impl<'a> Wishes<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state, outputs: Vec::new(), slots: BTreeSet::new() }
    }

    /// Wants an effect on a part of an object, because of the newest of these.
    pub(super) fn want(&mut self, slot: Slot, effect: Effect, because: &[Seq], fulfilled: bool) {
        let because = because.iter().copied().max().unwrap_or_default();
        self.slots.insert(slot.clone());
        self.outputs.extend(self.state.ensure(Wish { slot, effect, because }, fulfilled));
    }

    /// Wants an object gone.
    pub(super) fn want_gone(&mut self, key: &ObjectKey, object: &Object, cause: Seq) {
        if object.deleting {
            return;
        }
        let effect = Effect::Delete { uid: object.uid.clone(), grace: None, cause };
        self.want(slot(key, OBJECT), effect, &[cause, object.seen], false);
    }

    /// Records a choice.
    pub(super) fn record(&mut self, event: impl Into<Event>) {
        self.outputs.push(Output::Record(event.into()));
    }

    /// Says that an object asks for what cannot be.
    pub(super) fn reject(&mut self, key: &ObjectKey, object: &Object, reason: String) {
        let known = self.state.rejected.get(key);
        if known.is_none_or(|known| known.body.reason != reason || known.body.uid != object.uid) {
            self.record(Rejected { object: key.clone(), uid: object.uid.clone(), reason });
        }
    }

    /// The copy that a slot remembers is what the effect asks for.
    pub(super) fn is_remembered(&self, slot: &Slot, effect: &Effect) -> bool {
        self.state.is_mirrored(slot, effect)
    }

    /// What follows from the wishes when all of them are about these objects.
    pub(super) fn granted_about(self, keys: &BTreeSet<ObjectKey>) -> Vec<Output> {
        let Self { state, mut outputs, slots } = self;
        let parts = [OBJECT, ANSWER, FINALIZER, COPY];
        let all = keys.iter().flat_map(|key| parts.map(|part| slot(key, part)));
        let unwanted = all.filter(|slot| is_ours(slot) && !slots.contains(slot));
        outputs.extend(unwanted.filter_map(|slot| state.withdraw(&slot)));
        outputs
    }

    /// What follows from the wishes.
    pub(super) fn granted(self) -> Vec<Output> {
        let Self { state, mut outputs, slots } = self;
        outputs
            .extend(state.withdraw_all(|command| is_ours(&command.slot) && !slots.contains(&command.slot)));
        outputs
    }
}

pub(super) fn slot(key: &ObjectKey, part: &str) -> Slot {
    Slot { object: key.clone(), part: part.to_owned() }
}

fn is_ours(slot: &Slot) -> bool {
    let is_copy = slot.part == COPY && matches!(slot.object.kind, Kind::TunnelEndpoint | Kind::NatMapping);
    slot.object.cluster == ClusterRef::Local
        && (is_copy || [OBJECT, ANSWER, FINALIZER].contains(&slot.part.as_str()))
}
