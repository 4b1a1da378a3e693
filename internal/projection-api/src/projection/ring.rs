//! One topic as it is, and its last changes: what a reader at some position has to be sent. Pure.

use std::collections::VecDeque;

use liqo_engine::Published;
use liqo_events::Seq;
use liqo_projections::view::{Change, View, diff};

use crate::{Json, Sighting};

/// Changes that are kept: five minutes of a topic that changes once a second, which is longer than a reconnection takes.
const MOST_CHANGES: usize = 256;
/// Entries in all changes that are kept. A reader that missed more is served as well by a snapshot.
const MOST_ENTRIES: usize = 4096;

/// How far a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The leader's epoch.
    pub epoch: u64,
    /// The last event that is part of what it has.
    pub seq: Seq,
}

/// What a reader has to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing, ever: this process does not lead.
    NotLive,
    /// The whole view.
    Snapshot(Position, View<Json>),
    /// What changed since its position.
    Delta(Position, Change<Json>),
    /// Nothing but how far the view is.
    Unchanged(Position),
}

#[derive(Clone, Debug)]
struct Kept {
    to: Seq,
    change: Change<Json>,
}

/// A topic and its last changes.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    at: Published,
    view: View<Json>,
    /// Readers before this position missed changes that are not kept.
    begins: Seq,
    kept: VecDeque<Kept>,
    entries: usize,
}

impl Ring {
    pub(super) fn new(sighting: Sighting) -> Self {
        let Sighting { at, view } = sighting;
        Self { at, view, begins: at.seq, kept: VecDeque::new(), entries: 0 }
    }

    /// Goes on to a later sighting. Another epoch, or a position that went back, is a new beginning.
    pub(super) fn advance(&mut self, sighting: Sighting) {
        let goes_on = sighting.at.epoch == self.at.epoch && sighting.at.seq >= self.at.seq;
        if !goes_on {
            *self = Self::new(sighting);
            return;
        }
        let change = diff(&self.view, &sighting.view);
        if !change.is_empty() {
            self.entries += change.len();
            self.kept.push_back(Kept { to: sighting.at.seq, change });
        }
        self.at = sighting.at;
        self.view = sighting.view;
        while self.kept.len() > MOST_CHANGES || self.entries > MOST_ENTRIES {
            let Some(dropped) = self.kept.pop_front() else { break };
            self.entries -= dropped.change.len();
            self.begins = dropped.to;
        }
    }

    /// What a reader that is at `from` has to be sent; nothing stands for one that has nothing.
    pub(super) fn next(&self, from: Option<Position>) -> Next {
        let Some(epoch) = self.at.epoch.filter(|_| self.at.live) else { return Next::NotLive };
        let at = Position { epoch, seq: self.at.seq };
        let Some(from) =
            from.filter(|from| from.epoch == at.epoch && from.seq >= self.begins && from.seq <= at.seq)
        else {
            return Next::Snapshot(at, self.view.clone());
        };
        let mut missed = Change::default();
        for kept in self.kept.iter().filter(|kept| kept.to > from.seq) {
            missed.then(&kept.change);
        }
        if missed.is_empty() { Next::Unchanged(at) } else { Next::Delta(at, missed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sighting(epoch: u64, seq: u64, view: &[(&str, u32)]) -> Sighting {
        let entry = |(key, value): &(&str, u32)| ((*key).to_owned(), Json::from(value.to_string()));
        let at = Published { seq: Seq(seq), epoch: Some(epoch), live: true };
        Sighting { at, view: view.iter().map(entry).collect() }
    }

    fn at(epoch: u64, seq: u64) -> Position {
        Position { epoch, seq: Seq(seq) }
    }

    #[test]
    fn a_reader_gets_what_it_missed_as_one_change() {
        let mut ring = Ring::new(sighting(1, 10, &[("a", 1), ("b", 1)]));
        ring.advance(sighting(1, 12, &[("a", 2), ("b", 1)]));
        ring.advance(sighting(1, 15, &[("a", 3)]));
        let last = sighting(1, 15, &[("a", 3)]).view;
        let missed = Change { changed: last.clone(), removed: ["b".to_owned()].into() };
        assert_eq!(ring.next(Some(at(1, 10))), Next::Delta(at(1, 15), missed.clone()));
        assert_eq!(ring.next(Some(at(1, 11))), Next::Delta(at(1, 15), missed.clone()));
        assert_eq!(ring.next(Some(at(1, 12))), Next::Delta(at(1, 15), missed));
        assert_eq!(ring.next(Some(at(1, 15))), Next::Unchanged(at(1, 15)));
        for unknown in [None, Some(at(1, 9)), Some(at(1, 16)), Some(at(0, 12)), Some(at(2, 12))] {
            assert_eq!(ring.next(unknown), Next::Snapshot(at(1, 15), last.clone()), "{unknown:?}");
        }
    }

    #[test]
    fn another_epoch_is_a_new_beginning() {
        let mut ring = Ring::new(sighting(1, 10, &[("a", 1)]));
        ring.advance(sighting(2, 10, &[("a", 1)]));
        assert!(matches!(ring.next(Some(at(1, 10))), Next::Snapshot(_, _)));
        assert_eq!(ring.next(Some(at(2, 10))), Next::Unchanged(at(2, 10)));
    }

    #[test]
    fn who_does_not_lead_sends_nothing() {
        let mut follower = sighting(1, 10, &[("a", 1)]);
        follower.at.live = false;
        let mut ring = Ring::new(follower.clone());
        assert_eq!(ring.next(None), Next::NotLive);
        ring.advance(sighting(1, 11, &[("a", 1)]));
        assert!(matches!(ring.next(None), Next::Snapshot(_, _)));
        follower.at.seq = Seq(12);
        ring.advance(follower);
        assert_eq!(ring.next(Some(at(1, 11))), Next::NotLive);
    }

    #[test]
    fn memory_is_bounded_and_the_late_get_a_snapshot() {
        let mut ring = Ring::new(sighting(1, 0, &[]));
        let many = u64::try_from(MOST_CHANGES).unwrap() + 10;
        for seq in 1..=many {
            ring.advance(sighting(1, seq, &[("a", u32::try_from(seq).unwrap())]));
        }
        assert_eq!(ring.kept.len(), MOST_CHANGES);
        assert!(matches!(ring.next(Some(at(1, 9))), Next::Snapshot(_, _)));
        assert!(matches!(ring.next(Some(at(1, 10))), Next::Delta(_, _)));
        let names: Vec<String> = (0..MOST_ENTRIES).map(|number| number.to_string()).collect();
        let large: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        ring.advance(sighting(1, many + 1, &large));
        assert!(ring.entries <= MOST_ENTRIES);
        assert!(matches!(ring.next(Some(at(1, many))), Next::Snapshot(_, _)));
    }

    proptest! {
        /// However a reader falls behind: what it is sent makes the view of it.
        #[test]
        fn what_is_sent_leads_to_the_view(
            views in proptest::collection::vec(proptest::collection::btree_map("[a-c]", 0_u32..3, 0..3), 1..20),
            reads in proptest::collection::vec(any::<bool>(), 20),
        ) {
            let seen = |seq: usize, view: &std::collections::BTreeMap<String, u32>| {
                let pairs: Vec<(&str, u32)> = view.iter().map(|(key, value)| (key.as_str(), *value)).collect();
                sighting(1, seq as u64, &pairs)
            };
            let mut ring = Ring::new(seen(0, &views[0]));
            let (mut position, mut has) = (None, View::<Json>::new());
            for (seq, view) in views.iter().enumerate() {
                ring.advance(seen(seq, view));
                if !reads[seq] {
                    continue;
                }
                match ring.next(position) {
                    Next::NotLive => prop_assert!(false),
                    Next::Snapshot(at, view) => (position, has) = (Some(at), view),
                    Next::Delta(at, change) => { change.apply(&mut has); position = Some(at); }
                    Next::Unchanged(at) => position = Some(at),
                }
                prop_assert_eq!(&has, &seen(seq, view).view);
            }
        }
    }
}
