//! Samples of what tells whether identities of peers are in use. They came later than the others, and are at the end.

use liqo_model::{Kind, ObjectKey};

use super::applied;
use crate::{Command, CommandId, CommandIssued, Effect, Event, Facts, IssuedFacts, Slot};

pub(super) fn facts() -> Vec<Event> {
    let issued = |enrolled| Facts::Issued(IssuedFacts { peer: "rome-id".into(), enrolled });
    [true, false].map(issued).map(applied).into()
}

pub(super) fn commands() -> Vec<Event> {
    let slot = Slot {
        object: ObjectKey::local(Kind::Secret, "liqo-tenant-rome-f4b52b", "liqo-remote-certificate"),
        part: "enrolment".to_owned(),
    };
    let effect = Effect::SetEnrolled { uid: "u-1".into(), peer: "rome-id".into(), enrolled: true };
    let command = Command { id: CommandId([2; 16]), slot, effect };
    vec![Event::CommandIssued(CommandIssued { command })]
}
