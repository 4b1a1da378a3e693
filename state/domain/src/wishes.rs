//! What planners want of most objects: that one exists and says something, or is gone; its status; a finalizer.

use liqo_events::{Content, Effect, Facts, Seq, Slot, Status};
use liqo_model::ObjectKey;

use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::{Object, State};

/// The part of a slot that is the object as such, so that making it and deleting it take turns.
const OBJECT: &str = "object";
/// The part that is the status.
const STATUS: &str = "status";

/// A part of an object.
pub(crate) fn slot(key: &ObjectKey, part: &str) -> Slot {
    Slot { object: key.clone(), part: part.to_owned() }
}

/// The part of an object that is the object as such.
pub(crate) fn object_slot(key: &ObjectKey) -> Slot {
    slot(key, OBJECT)
}

impl State {
    /// When an object was seen last, be it only to go.
    fn seen(&self, key: &ObjectKey) -> Seq {
        self.objects.get(key).map_or(Seq(0), |object| object.seen)
    }

    /// The object exists and says this, which is fulfilled or not as far as is known.
    pub(crate) fn put(
        &self,
        key: &ObjectKey,
        content: Content,
        because: Seq,
        fulfilled: bool,
    ) -> Option<Output> {
        let because = because.max(self.seen(key));
        self.ensure(Wish { slot: object_slot(key), effect: Effect::Put { content }, because }, fulfilled)
    }

    /// The object exists, whatever it says: made when a complete list lacks it.
    pub(crate) fn put_missing(&self, key: &ObjectKey, content: Content, because: Seq) -> Option<Output> {
        self.put_made_so(key, content, because, |_| true)
    }

    /// The object exists and is as it shall be: made when a complete list lacks it, changed when its facts are others.
    pub(crate) fn put_made_so(
        &self,
        key: &ObjectKey,
        content: Content,
        because: Seq,
        is_so: impl FnOnce(&Facts) -> bool,
    ) -> Option<Output> {
        let list = self.list_for(key)?;
        let known = self.objects.get(key);
        // One that goes has to be gone before it can be made anew.
        if known.is_some_and(|object| object.deleting) {
            return None;
        }
        let fulfilled = known.is_some_and(|object| is_so(&object.facts));
        self.put(key, content, because.max(list.seq), fulfilled)
    }

    /// The object is gone, for a recorded cause. What was to make it is taken back.
    pub(crate) fn delete(&self, key: &ObjectKey, cause: Seq) -> Option<Output> {
        let Some(object) = self.objects.get(key) else { return self.withdraw(&object_slot(key)) };
        let effect = Effect::Delete { uid: object.uid.clone(), grace: None, cause };
        let because = cause.max(object.seen);
        self.ensure(Wish { slot: object_slot(key), effect, because }, object.deleting)
    }

    /// The status of an object.
    pub(crate) fn put_status(
        &self,
        key: &ObjectKey,
        status: Status,
        because: Seq,
        fulfilled: bool,
    ) -> Option<Output> {
        let object = self.objects.get(key)?;
        let effect = Effect::PutStatus { uid: object.uid.clone(), status };
        self.ensure(Wish { slot: slot(key, STATUS), effect, because: because.max(object.seen) }, fulfilled)
    }

    /// A finalizer of ours, which should be there or not. One that goes gets none any more.
    pub(crate) fn finalizer(
        &self,
        (key, object): (&ObjectKey, &Object),
        name: &str,
        present: bool,
        known: bool,
    ) -> Option<Output> {
        if present && object.deleting {
            return None;
        }
        let effect = Effect::SetFinalizer { uid: object.uid.clone(), finalizer: name.to_owned(), present };
        let slot = slot(key, &format!("finalizer:{name}"));
        self.ensure(Wish { slot, effect, because: object.seen }, present == known)
    }

    /// Whether an object is certainly not there: a complete list lacks it, and nothing is under way that makes it.
    pub(crate) fn is_gone(&self, key: &ObjectKey) -> bool {
        !self.objects.contains_key(key)
            && self.list_for(key).is_some()
            && !self.is_unsettled(&object_slot(key))
    }
}
