//! Whether the cluster is still the one that it was, as the watches of one process find out together.

use liqo_events::{Event, GenerationChanged};
use liqo_model::{ClusterRef, Uid};

/// What a process knows of the life of its API server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) uid: Uid,
    pub(crate) generation: u64,
}

impl Life {
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

    fn begin(&mut self, uid: Uid, reason: &str) -> Event {
        *self = Self { uid, generation: self.generation + 1 };
        Event::GenerationChanged(GenerationChanged {
            cluster: ClusterRef::Local,
            uid: self.uid.clone(),
            generation: self.generation,
            reason: reason.to_owned(),
        })
    }
}
