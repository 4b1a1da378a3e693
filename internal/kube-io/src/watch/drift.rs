//! What a watch has seen, small enough to be kept for every object, to find out in a list what the watch lost.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_model::{ResourceVersion, Uid};

/// Versions of the objects that a watch has seen: 16 bytes an object, and half as much for the tree.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Version by the hash of a uid. Two uids with one hash make one wrong count in 10^9 clusters.
    versions: BTreeMap<u64, u64>,
    /// Whether a complete list was seen, without which nothing can be missed.
    complete: bool,
}

impl Seen {
    pub(super) fn applied(&mut self, uid: &Uid, version: &ResourceVersion) {
        self.versions.insert(hash(uid), number(version));
    }

    pub(super) fn vanished(&mut self, uid: &Uid) {
        self.versions.remove(&hash(uid));
    }

    /// Takes the objects of a complete list, and counts what the watch should have said before it came to `position` and
    /// did not. An object that vanished between the end of the watch and the list counts too; that is rare.
    pub(super) fn compare(&mut self, listed: &Listing, position: &ResourceVersion) -> u64 {
        let position = number(position);
        let lost = listed.0.iter().filter(|(uid, version)| {
            **version <= position && self.versions.get(uid).is_none_or(|seen| seen != *version)
        });
        let listed_uids: BTreeSet<&u64> = listed.0.keys().collect();
        let gone = self.versions.keys().filter(|uid| !listed_uids.contains(uid));
        let changes = if self.complete { lost.count() + gone.count() } else { 0 };
        self.versions.clone_from(&listed.0);
        self.complete = true;
        changes as u64
    }

    /// What was seen says nothing any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The objects of a list, in the same shape.
#[derive(Debug, Default)]
pub(super) struct Listing(BTreeMap<u64, u64>);

impl Listing {
    pub(super) fn add(&mut self, uid: &Uid, version: &ResourceVersion) {
        self.0.insert(hash(uid), number(version));
    }
}

fn hash(uid: &Uid) -> u64 {
    let mut hasher = DefaultHasher::new();
    uid.as_str().hash(&mut hasher);
    hasher.finish()
}

/// Versions without an order are all alike here, so they never count as lost.
fn number(version: &ResourceVersion) -> u64 {
    version.as_str().parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(objects: &[(&str, &str)]) -> Listing {
        let mut listing = Listing::default();
        objects.iter().for_each(|(uid, version)| listing.add(&(*uid).into(), &(*version).into()));
        listing
    }

    #[test]
    fn what_the_watch_said_is_no_drift() {
        let mut seen = Seen::default();
        assert_eq!(seen.compare(&listing(&[("a", "1"), ("b", "2")]), &"2".into()), 0);
        seen.applied(&"a".into(), &"5".into());
        seen.vanished(&"b".into());
        assert_eq!(seen.compare(&listing(&[("a", "5")]), &"6".into()), 0);
    }

    #[test]
    fn what_the_watch_did_not_say_is() {
        let mut seen = Seen::default();
        seen.compare(&listing(&[("a", "1"), ("b", "2"), ("c", "3")]), &"3".into());
        // `a` changed unseen, `b` vanished unseen, `d` came unseen, `e` came after the watch had ended.
        let now = listing(&[("a", "4"), ("c", "3"), ("d", "5"), ("e", "9")]);
        assert_eq!(seen.compare(&now, &"6".into()), 3);
        assert_eq!(seen.compare(&now, &"9".into()), 0);
    }

    #[test]
    fn before_the_first_list_nothing_can_be_missed() {
        let mut seen = Seen::default();
        seen.applied(&"a".into(), &"5".into());
        assert_eq!(seen.compare(&listing(&[("b", "2")]), &"5".into()), 0);
        seen.forget();
        assert_eq!(seen.compare(&listing(&[("c", "2")]), &"5".into()), 0);
    }
}
