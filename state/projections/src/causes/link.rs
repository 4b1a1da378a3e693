//! How one event hangs together with others, in a few bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_events::{CommandId, Event, Recorded, Seq};
use liqo_model::{ObjectKey, ResourceVersion};

use crate::command_of;

/// What of an event matters for causes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The event.
    pub(super) seq: Seq,
    /// What the log says made it necessary.
    pub(super) caused_by: Option<Seq>,
    command: Option<(CommandId, bool)>,
    version: Option<(u64, bool)>,
}

impl Link {
    pub(super) fn of(recorded: &Recorded) -> Self {
        let issue = matches!(recorded.event, Event::CommandIssued(_));
        Self {
            seq: recorded.seq,
            caused_by: recorded.caused_by,
            command: command_of(&recorded.event).map(|id| (id, issue)),
            version: version(&recorded.event),
        }
    }

    /// The command that it issues.
    pub(super) fn issues(&self) -> Option<CommandId> {
        self.command.filter(|(_, issue)| *issue).map(|(id, _)| id)
    }

    /// The command that it ends or tries again.
    pub(super) fn ends(&self) -> Option<CommandId> {
        self.command.filter(|(_, issue)| !*issue).map(|(id, _)| id)
    }

    /// The version of an object that a watch saw.
    pub(super) fn seen_version(&self) -> Option<u64> {
        self.version.filter(|(_, written)| !*written).map(|(version, _)| version)
    }

    /// The version of an object that a command left.
    pub(super) fn written_version(&self) -> Option<u64> {
        self.version.filter(|(_, written)| *written).map(|(version, _)| version)
    }
}

/// The version of an object that the event is about, and whether a command of ours made it.
fn version(event: &Event) -> Option<(u64, bool)> {
    if let Event::Applied(applied) = event {
        return Some((fingerprint(&applied.object, &applied.resource_version), false));
    }
    let Event::CommandSucceeded(done) = event else { return None };
    if done.resource_version.is_empty() {
        return None;
    }
    Some((fingerprint(&done.slot.object, &done.resource_version), true))
}

/// Eight bytes instead of some hundred. Two versions with the same ones would show a wrong echo, once in a few lives.
fn fingerprint(object: &ObjectKey, version: &ResourceVersion) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.hash(&mut hasher);
    version.hash(&mut hasher);
    hasher.finish()
}
