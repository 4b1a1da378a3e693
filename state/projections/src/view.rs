//! A keyed view and the structural difference of two of them.

use std::collections::{BTreeMap, BTreeSet};

/// Entries by key, in the order of their keys.
pub type View<T> = BTreeMap<String, T>;

/// What has to be done to one view to get another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// Entries that are new or differ.
    pub changed: View<T>,
    /// Keys of entries that are gone.
    pub removed: BTreeSet<String>,
}

impl<T> Default for Change<T> {
    fn default() -> Self {
        Self { changed: BTreeMap::new(), removed: BTreeSet::new() }
    }
}

impl<T> Change<T> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// How many entries it touches.
    pub fn len(&self) -> usize {
        self.changed.len() + self.removed.len()
    }
}

impl<T: Clone> Change<T> {
    /// Does it.
    pub fn apply(&self, view: &mut View<T>) {
        view.retain(|key, _| !self.removed.contains(key));
        view.extend(self.changed.iter().map(|(key, entry)| (key.clone(), entry.clone())));
    }

    /// This change and then `later` as one change.
    pub fn then(&mut self, later: &Self) {
        for key in &later.removed {
            self.changed.remove(key);
            self.removed.insert(key.clone());
        }
        for (key, entry) in &later.changed {
            self.removed.remove(key);
            self.changed.insert(key.clone(), entry.clone());
        }
    }
}

/// The least change that makes `new` of `old`.
pub fn diff<T: PartialEq + Clone>(old: &View<T>, new: &View<T>) -> Change<T> {
    let differs = |key: &String, entry: &T| old.get(key) != Some(entry);
    let changed = new.iter().filter(|(key, entry)| differs(key, entry));
    Change {
        changed: changed.map(|(key, entry)| (key.clone(), entry.clone())).collect(),
        removed: old.keys().filter(|key| !new.contains_key(*key)).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn views() -> impl Strategy<Value = View<u8>> {
        proptest::collection::btree_map("[a-e]", 0_u8..3, 0..5)
    }

    proptest! {
        #[test]
        fn a_difference_leads_from_one_view_to_the_other(old in views(), new in views()) {
            let mut view = old.clone();
            diff(&old, &new).apply(&mut view);
            prop_assert_eq!(view, new);
        }

        #[test]
        fn a_difference_touches_nothing_that_stays(old in views(), new in views()) {
            let change = diff(&old, &new);
            prop_assert!(change.changed.iter().all(|(key, entry)| old.get(key) != Some(entry)));
            prop_assert!(change.removed.iter().all(|key| old.contains_key(key) && !new.contains_key(key)));
            prop_assert_eq!(change.is_empty(), old == new);
        }

        #[test]
        fn two_changes_are_one(first in views(), second in views(), third in views()) {
            let mut both = diff(&first, &second);
            both.then(&diff(&second, &third));
            let mut view = first.clone();
            both.apply(&mut view);
            prop_assert_eq!(view, third);
        }
    }
}
