//! Answers that count for a while, in a bounded number.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Answers that count for a while, in a bounded number.
pub(super) struct Cache<K, V> {
    entries: BTreeMap<K, (V, Instant)>,
    most: usize,
}

impl<K: Ord + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), most }
    }

    /// What is known and still counts.
    pub(super) fn get(&self, key: &K, now: Instant) -> Option<V> {
        self.entries.get(key).filter(|(_, end)| now < *end).map(|(value, _)| value.clone())
    }

    /// Keeps an answer. When there is no room, what ends first goes.
    pub(super) fn put(&mut self, key: K, value: V, now: Instant, lasts: Duration) {
        if self.entries.len() >= self.most && !self.entries.contains_key(&key) {
            self.entries.retain(|_, (_, end)| now < *end);
        }
        if self.entries.len() >= self.most && !self.entries.contains_key(&key) {
            let first = self.entries.iter().min_by_key(|(_, (_, end))| *end).map(|(key, _)| key.clone());
            first.and_then(|first| self.entries.remove(&first));
        }
        self.entries.insert(key, (value, now + lasts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn answers_end() {
        let (mut cache, now) = (Cache::new(2), Instant::now());
        cache.put("a", 1, now, SECOND);
        assert_eq!(cache.get(&"a", now), Some(1));
        assert_eq!(cache.get(&"a", now + SECOND), None);
        assert_eq!(cache.get(&"b", now), None);
    }

    #[test]
    fn what_is_over_makes_room_and_then_what_ends_first() {
        let (mut cache, now) = (Cache::new(2), Instant::now());
        cache.put("over", 1, now, SECOND);
        cache.put("long", 2, now, 9 * SECOND);
        cache.put("short", 3, now + 2 * SECOND, SECOND);
        let known = |cache: &Cache<_, _>, keys: [&'static str; 3]| {
            keys.map(|key| cache.get(&key, now + 2 * SECOND)).map(Option::unwrap_or_default)
        };
        assert_eq!(known(&cache, ["over", "long", "short"]), [0, 2, 3]);
        cache.put("new", 4, now + 2 * SECOND, SECOND);
        assert_eq!(known(&cache, ["long", "short", "new"]), [2, 0, 4]);
        cache.put("new", 5, now + 2 * SECOND, SECOND);
        assert_eq!(known(&cache, ["long", "short", "new"]), [2, 0, 5]);
    }
}
