//! A map that always knows the fingerprint of what is in it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, Iter};
use std::fmt;
use std::hash::{BuildHasher as _, Hash};
use std::ops::RangeBounds;

/// An ordered map. A change costs one hash of the new entry, whatever the size of the map.
///
/// Values are behind a pointer: the nodes of the map are half empty, and an object is several times as large as its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<K, V> {
    entries: BTreeMap<K, Box<Slot<V>>>,
    digest: u64,
}

/// A value with the hash of its entry, which is needed once more when the value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot<V> {
    value: V,
    hash: u64,
}

/// The entries of a table in the order of their keys.
#[derive(Debug)]
pub struct Entries<'a, K, V>(Iter<'a, K, Box<Slot<V>>>);

impl<'a, K, V> Iterator for Entries<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, slot)| (key, &slot.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Entries<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, slot)| (key, &slot.value))
    }
}

impl<K, V> ExactSizeIterator for Entries<'_, K, V> {}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), digest: 0 }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self).finish()
    }
}

impl<K: Ord + Hash, V: Hash> Table<K, V> {
    /// The sum of the hashes of all entries.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|slot| &slot.value)
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> Entries<'_, K, V> {
        self.into_iter()
    }

    /// The entries of a range of keys.
    pub fn range<R: RangeBounds<K>>(&self, range: R) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.range(range).map(|(key, slot)| (key, &slot.value))
    }

    /// Puts a value in and gives the one that it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.put(key, value).0
    }

    /// Puts a value in. Gives the one that it replaces, and where it is now.
    pub fn put(&mut self, key: K, value: V) -> (Option<V>, &V) {
        let hash = hash_of(&(&key, &value));
        self.digest = self.digest.wrapping_add(hash);
        match self.entries.entry(key) {
            Entry::Vacant(place) => (None, &place.insert(Box::new(Slot { value, hash })).value),
            Entry::Occupied(place) => {
                let slot = place.into_mut();
                let old = std::mem::replace(&mut **slot, Slot { value, hash });
                self.digest = self.digest.wrapping_sub(old.hash);
                (Some(old.value), &slot.value)
            }
        }
    }

    /// Takes a value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let old = self.entries.remove(key)?;
        self.digest = self.digest.wrapping_sub(old.hash);
        Some(old.value)
    }

    /// Changes a value where it is; tells whether there was one.
    pub fn update<Q: Ord + Hash + ?Sized>(&mut self, key: &Q, change: impl FnOnce(&mut V)) -> bool
    where
        K: Borrow<Q>,
    {
        let Some(slot) = self.entries.get_mut(key) else { return false };
        let before = slot.hash;
        change(&mut slot.value);
        // `Borrow` promises that the borrowed form hashes as the key does.
        slot.hash = hash_of(&(key, &slot.value));
        self.digest = self.digest.wrapping_sub(before).wrapping_add(slot.hash);
        true
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Entries<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        Entries(self.entries.iter())
    }
}

/// A hash that is the same in every process of one build: this hasher has fixed keys. It is no protection against
/// anybody who chooses what is hashed, and needs to be none: it finds faults of this program.
pub(crate) fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    foldhash::quality::FixedState::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u16),
        Remove(u8),
        Update(u8, u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Insert(key % 8, value)),
            any::<u8>().prop_map(|key| Step::Remove(key % 8)),
            (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Update(key % 8, value)),
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn the_digest_follows_from_the_entries_alone(steps in steps()) {
            let mut table = Table::default();
            for step in steps {
                match step {
                    Step::Insert(key, value) => { table.insert(key, value); }
                    Step::Remove(key) => { table.remove(&key); }
                    Step::Update(key, value) => { table.update(&key, |old| *old = value); }
                }
            }
            let mut afresh = Table::default();
            for (key, value) in table.iter().rev() {
                afresh.insert(*key, *value);
            }
            prop_assert_eq!(afresh, table);
        }
    }
}
