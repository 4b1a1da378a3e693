//! Which events somebody wants to see.

use std::collections::{BTreeSet, VecDeque};

use liqo_events::{CommandId, Event, Family};
use thiserror::Error;

use crate::{EventView, ObjectPattern};

/// Commands about the wanted object that are remembered until they end. A log that is followed for weeks may hold some
/// that never do; an object has far fewer at a time.
const REMEMBERED_COMMANDS: usize = 1024;

/// Lets events pass that fit everything that was asked for; what was not asked for fits always.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    kinds: BTreeSet<u16>,
    families: BTreeSet<Family>,
    object: Option<ObjectPattern>,
    commands: VecDeque<CommandId>,
}

/// A kind of events that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no kind of event {name:?}; kinds are {}", known_kinds())]
pub struct UnknownEvent {
    /// What was asked for.
    pub name: String,
}

fn known_kinds() -> String {
    let names: Vec<&str> = Event::KINDS.iter().filter_map(|kind| Event::kind_name(*kind)).collect();
    names.join(", ")
}

impl Filter {
    /// Only events with one of these names, in any case; all if there are none.
    ///
    /// # Errors
    ///
    /// [`UnknownEvent`] with the name.
    pub fn kinds<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownEvent> {
        for name in names {
            let is_it =
                |kind: &&u16| Event::kind_name(**kind).is_some_and(|known| known.eq_ignore_ascii_case(name));
            let kind =
                Event::KINDS.iter().find(is_it).ok_or_else(|| UnknownEvent { name: name.to_owned() })?;
            self.kinds.insert(*kind);
        }
        Ok(self)
    }

    /// Only events of one of these families; all if there are none.
    #[must_use]
    pub fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.families.extend(families);
        self
    }

    /// Only events about these objects, and the ends of commands about them whose issue was seen.
    #[must_use]
    pub fn object(mut self, object: ObjectPattern) -> Self {
        self.object = Some(object);
        self
    }

    /// Whether the event is wanted. Events come in their order, so that an end is known by the issue before it.
    pub fn passes(&mut self, event: &EventView) -> bool {
        let about = self.is_about(event);
        about
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.families.is_empty()
                || event.family.is_some_and(|family| self.families.contains(&family)))
    }

    fn is_about(&mut self, event: &EventView) -> bool {
        let Some(wanted) = &self.object else { return true };
        let fits = event.object.as_ref().is_some_and(|object| wanted.fits(object));
        let Some(id) = event.command else { return fits };
        if fits {
            if self.commands.len() == REMEMBERED_COMMANDS {
                self.commands.pop_front();
            }
            self.commands.push_back(id);
        }
        fits || self.commands.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use liqo_events::{
        Command, CommandFailed, CommandIssued, Disposition, Effect, Envelope, LeaseLost, Recorded, Seq, Slot,
        StateDigest, UnixMillis,
    };
    use liqo_model::{Kind, ObjectKey};

    use super::*;

    fn views() -> Vec<EventView> {
        let issued = |id: u8, name: &str| {
            let slot = Slot {
                object: ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name),
                part: "x".into(),
            };
            let effect = Effect::SetScheduling { uid: "u".into(), enabled: true };
            Event::from(CommandIssued { command: Command { id: CommandId([id; 16]), slot, effect } })
        };
        let failed = |id: u8| {
            let (id, error) = (CommandId([id; 16]), String::new());
            Event::from(CommandFailed { id, attempt: 1, disposition: Disposition::Park, error })
        };
        let events =
            [issued(1, "milan"), issued(2, "rome"), failed(1), failed(2), LeaseLost { epoch: 1 }.into()];
        let sealed = (1..).zip(events).map(|(seq, event)| {
            let recorded = Recorded { seq: Seq(seq), recorded_at: UnixMillis(0), caused_by: None, event };
            Envelope::seal(&recorded, StateDigest(0), None).unwrap()
        });
        sealed.map(|envelope| EventView::of(&envelope)).collect()
    }

    fn passing(mut filter: Filter) -> Vec<u64> {
        views().iter().filter(|view| filter.passes(view)).map(|view| view.seq.0).collect()
    }

    #[test]
    fn nothing_asked_for_lets_everything_pass() {
        assert_eq!(passing(Filter::default()), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_asked_for_passes() {
        let milan = || Filter::default().object("ForeignCluster/milan".parse().unwrap());
        assert_eq!(passing(milan()), [1, 3]);
        assert_eq!(passing(milan().kinds(["commandfailed"]).unwrap()), [3]);
        assert_eq!(passing(Filter::default().kinds(["CommandIssued", "LeaseLost"]).unwrap()), [1, 2, 5]);
        assert_eq!(passing(Filter::default().families([Family::Done])), [3, 4]);
    }

    #[test]
    fn an_unknown_kind_is_refused_with_those_that_there_are() {
        let refused = Filter::default().kinds(["Deleted"]).unwrap_err();
        assert_eq!(refused, UnknownEvent { name: "Deleted".into() });
        assert!(refused.to_string().contains("Started, Applied, Vanished"));
    }
}
