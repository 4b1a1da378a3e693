//! Which messages of a control plane an agent believes. Pure; time comes in.
//!
//! What was accepted never goes back: an old leader that still talks is not listened to. And a control plane that has
//! suddenly forgotten most of what it knew has to say so twice before anything is taken down.

use liqo_events::Seq;
use liqo_projections::view::{Change, View, diff};

use crate::Json;
pub use crate::projection::Position;

/// Between a snapshot that removes more than half of the entries and an equal one that is believed. Long enough for a
/// leader that starts with half of its lists to notice; short enough that an unpeering of everything is not felt.
const SECOND_OPINION_MILLIS: u64 = 10_000;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The whole view.
    Snapshot(Position, View<Json>),
    /// What changed, from a sequence number on.
    Delta(Seq, Position, Change<Json>),
    /// Nothing changed.
    Heartbeat(Position),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The view is another one now.
    Applied,
    /// The view is as it was.
    Unchanged,
    /// It is older than what was accepted: the sender leads no more. Find the one that does.
    Older,
    /// It does not follow what was accepted. Ask for a snapshot.
    Gap,
    /// It removes more than half of the entries. Ask for a snapshot again after this many milliseconds.
    Suspected {
        /// Milliseconds from now.
        again_after_millis: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    view: View<Json>,
    since_millis: u64,
}

/// A view and what it takes to change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    at: Option<Position>,
    view: View<Json>,
    suspect: Option<Suspect>,
}

impl Acceptance {
    /// Starts from what was accepted in an earlier life.
    pub fn starting_from(at: Position, view: View<Json>) -> Self {
        Self { at: Some(at), view, suspect: None }
    }

    /// The position of what was accepted.
    pub fn at(&self) -> Option<Position> {
        self.at
    }

    /// What was accepted.
    pub fn view(&self) -> &View<Json> {
        &self.view
    }

    /// The position to ask from: none while a second opinion is awaited, which has to be a snapshot.
    pub fn resume_from(&self) -> Option<Position> {
        self.at.filter(|_| self.suspect.is_none())
    }

    /// Takes a message in, or does not. `now_millis` is of a clock that never goes back.
    pub fn offer(&mut self, update: Update, now_millis: u64) -> Verdict {
        match update {
            Update::Snapshot(at, _) if self.at.is_some_and(|accepted| at < accepted) => Verdict::Older,
            Update::Snapshot(at, view) => self.offer_snapshot(at, view, now_millis),
            Update::Delta(from, at, change) => self.offer_delta(from, at, &change),
            Update::Heartbeat(at) => self.offer_heartbeat(at),
        }
    }

    fn offer_snapshot(&mut self, at: Position, view: View<Json>, now_millis: u64) -> Verdict {
        let removed = diff(&self.view, &view).removed.len();
        if removed * 2 > self.view.len() {
            let since_millis = match &self.suspect {
                Some(suspect) if suspect.view == view => suspect.since_millis,
                _ => now_millis,
            };
            let waited = now_millis.saturating_sub(since_millis);
            if waited < SECOND_OPINION_MILLIS {
                self.suspect = Some(Suspect { view, since_millis });
                return Verdict::Suspected { again_after_millis: SECOND_OPINION_MILLIS - waited };
            }
        }
        let verdict = if self.view == view { Verdict::Unchanged } else { Verdict::Applied };
        *self = Self { at: Some(at), view, suspect: None };
        verdict
    }

    fn offer_delta(&mut self, from: Seq, at: Position, change: &Change<Json>) -> Verdict {
        let Some(accepted) = self.at else { return Verdict::Gap };
        if at < accepted {
            return Verdict::Older;
        }
        if at.epoch != accepted.epoch || from != accepted.seq || self.suspect.is_some() {
            return Verdict::Gap;
        }
        change.apply(&mut self.view);
        self.at = Some(at);
        Verdict::Applied
    }

    fn offer_heartbeat(&mut self, at: Position) -> Verdict {
        match self.at {
            Some(accepted) if at < accepted => Verdict::Older,
            Some(accepted) if at.epoch == accepted.epoch && self.suspect.is_none() => {
                self.at = Some(at);
                Verdict::Unchanged
            }
            Some(_) | None => Verdict::Gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, seq: u64) -> Position {
        Position { epoch, seq: Seq(seq) }
    }

    fn view(keys: &str) -> View<Json> {
        keys.chars().map(|key| (key.to_string(), Json::from("1"))).collect()
    }

    fn accepted(keys: &str) -> Acceptance {
        Acceptance::starting_from(at(2, 10), view(keys))
    }

    fn snapshot(position: Position, keys: &str) -> Update {
        Update::Snapshot(position, view(keys))
    }

    #[test]
    fn a_view_is_taken_in_and_followed() {
        let mut agent = Acceptance::default();
        assert_eq!(agent.offer(snapshot(at(1, 5), "ab"), 0), Verdict::Applied);
        let change = Change { changed: view("c"), removed: ["a".to_owned()].into() };
        assert_eq!(agent.offer(Update::Delta(Seq(5), at(1, 7), change), 0), Verdict::Applied);
        assert_eq!(agent.offer(Update::Heartbeat(at(1, 9)), 0), Verdict::Unchanged);
        assert_eq!(agent.offer(snapshot(at(2, 1), "bc"), 0), Verdict::Unchanged);
        assert_eq!((agent.at(), agent.view()), (Some(at(2, 1)), &view("bc")));
    }

    #[test]
    fn what_is_older_than_what_was_accepted_is_refused() {
        let change = Change { changed: view("x"), removed: [].into() };
        for older in [
            snapshot(at(2, 9), "abx"),
            snapshot(at(1, 99), "abx"),
            Update::Delta(Seq(10), at(1, 12), change),
            Update::Heartbeat(at(1, 99)),
        ] {
            let mut agent = accepted("ab");
            assert_eq!(agent.offer(older.clone(), 0), Verdict::Older, "{older:?}");
            assert_eq!(agent, accepted("ab"));
        }
    }

    #[test]
    fn what_does_not_follow_is_a_gap() {
        let change = Change { changed: view("x"), removed: [].into() };
        for gap in [
            Update::Delta(Seq(11), at(2, 12), change.clone()),
            Update::Delta(Seq(10), at(3, 12), change.clone()),
            Update::Heartbeat(at(3, 1)),
        ] {
            let mut agent = accepted("ab");
            assert_eq!(agent.offer(gap.clone(), 0), Verdict::Gap, "{gap:?}");
            assert_eq!(agent, accepted("ab"));
        }
        assert_eq!(Acceptance::default().offer(Update::Delta(Seq(0), at(1, 1), change), 0), Verdict::Gap);
    }

    #[test]
    fn half_of_the_entries_may_go_at_once_and_no_more() {
        assert_eq!(accepted("abcd").offer(snapshot(at(2, 11), "ab"), 0), Verdict::Applied);
        let suspected = Verdict::Suspected { again_after_millis: 10_000 };
        for keys in ["", "a", "axyz"] {
            let mut agent = accepted("abcd");
            assert_eq!(agent.offer(snapshot(at(2, 11), keys), 0), suspected, "{keys:?}");
            assert_eq!((agent.at(), agent.view()), (Some(at(2, 10)), &view("abcd")));
            assert_eq!(agent.resume_from(), None);
        }
    }

    #[test]
    fn a_second_equal_snapshot_is_believed_ten_seconds_later() {
        let mut agent = accepted("abcd");
        agent.offer(snapshot(at(2, 11), "a"), 1000);
        assert_eq!(
            agent.offer(snapshot(at(2, 12), "a"), 10_999),
            Verdict::Suspected { again_after_millis: 1 }
        );
        assert_eq!(agent.offer(snapshot(at(2, 13), "a"), 11_000), Verdict::Applied);
        assert_eq!(agent, Acceptance::starting_from(at(2, 13), view("a")));
    }

    #[test]
    fn a_different_second_snapshot_begins_the_wait_anew() {
        let mut agent = accepted("abcd");
        agent.offer(snapshot(at(2, 11), "a"), 0);
        let again = Verdict::Suspected { again_after_millis: 10_000 };
        assert_eq!(agent.offer(snapshot(at(2, 12), "b"), 10_000), again);
        assert_eq!(agent.offer(snapshot(at(2, 13), "abc"), 10_001), Verdict::Applied);
        assert_eq!(agent, Acceptance::starting_from(at(2, 13), view("abc")));
    }
}
