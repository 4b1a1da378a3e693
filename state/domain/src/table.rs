//! A map that always knows the fingerprint of what is in it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::{Iter, Range};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeBounds;

/// An ordered map. A change costs one hash of the old and one of the new entry, whatever the size of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<K, V> {
    entries: BTreeMap<K, V>,
    digest: u64,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), digest: 0 }
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
        self.entries.get(key)
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
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.entries.iter()
    }

    /// The entries of a range of keys.
    pub fn range<R: RangeBounds<K>>(&self, range: R) -> Range<'_, K, V> {
        self.entries.range(range)
    }

    /// Puts a value in and gives the one that it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let added = hash_of(&(&key, &value));
        // The key is needed after it moved into the map only when something was there.
        let removed = self.entries.get(&key).map(|old| hash_of(&(&key, old)));
        let old = self.entries.insert(key, value);
        self.digest = self.digest.wrapping_add(added).wrapping_sub(removed.unwrap_or(0));
        old
    }

    /// Takes a value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, value) = self.entries.remove_entry(key)?;
        self.digest = self.digest.wrapping_sub(hash_of(&(&key, &value)));
        Some(value)
    }

    /// Changes a value where it is; tells whether there was one.
    pub fn update<Q: Ord + Hash + ?Sized>(&mut self, key: &Q, change: impl FnOnce(&mut V)) -> bool
    where
        K: Borrow<Q>,
    {
        let Some(value) = self.entries.get_mut(key) else { return false };
        // `Borrow` promises that the borrowed form hashes as the key does.
        let before = hash_of(&(key, &*value));
        change(value);
        let after = hash_of(&(key, &*value));
        self.digest = self.digest.wrapping_sub(before).wrapping_add(after);
        true
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

/// A hash that is the same in every process of one build: this hasher has fixed keys.
pub(crate) fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
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
