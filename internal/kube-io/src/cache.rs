//! Bodies of recent events, for those who are about to write the objects.
//!
//! Bounded in bytes: a process keeps projections of ten thousand pods in 2 KiB each, and this must not undo that. What is
//! kept is the JSON text, which is a fifth of the tree that it is read into. A body that is not here is read from the API
//! server, so losing one costs a request and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use liqo_model::{ObjectKey, ResourceVersion, Uid};
use serde_json::Value;

use crate::{Metrics, RawObject};

/// Bytes of bodies that are kept unless told otherwise: some hundred objects, which is what a burst of commands is about.
pub const DEFAULT_CACHE_BYTES: usize = 1 << 20;

/// The part of the limit that one body may have. A larger one would drive out most others for the sake of one reading.
const LARGEST_PART: usize = 2;

/// What an entry takes beside its texts: nodes of two trees, reference counts, lengths.
const ENTRY_BYTES: usize = 256;

/// A body and which state of which life it is.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedBody {
    /// Its life.
    pub uid: Uid,
    /// Its version.
    pub resource_version: ResourceVersion,
    /// The object without `metadata.managedFields`.
    pub body: Value,
}

/// Bodies of recent events; the one used longest ago leaves first.
#[derive(Debug)]
pub struct BodyCache {
    limit: usize,
    entries: Mutex<Entries>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: BTreeMap<ObjectKey, Entry>,
    by_use: BTreeMap<u64, ObjectKey>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    uid: Uid,
    resource_version: ResourceVersion,
    json: Arc<[u8]>,
    used: u64,
    bytes: usize,
}

impl BodyCache {
    /// An empty cache that holds at most `limit` bytes.
    pub fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        Self { limit, entries: Mutex::default(), metrics }
    }

    /// Keeps the body of an object, unless a later version of the same life is here already or it is too large to keep.
    pub fn put(&self, key: &ObjectKey, object: &RawObject) {
        if object.too_deep {
            return self.remove(key);
        }
        let json: Arc<[u8]> = object.body.to_string().into_bytes().into();
        if json.len() > self.limit / LARGEST_PART {
            return self.remove(key);
        }
        self.with(|entries| {
            let known = entries.by_key.get(key);
            let newer_known = known.is_some_and(|known| {
                known.uid == object.uid && object.resource_version.is_older_than(&known.resource_version)
            });
            if !newer_known {
                entries.insert(key, object, json);
                entries.shrink(self.limit);
            }
        });
    }

    /// Keeps the body of an object that has a place here already.
    pub(crate) fn refresh(&self, key: &ObjectKey, object: &RawObject) {
        if self.with(|entries| entries.by_key.contains_key(key)) {
            self.put(key, object);
        }
    }

    /// The body of an object, if it is here.
    pub fn get(&self, key: &ObjectKey) -> Option<CachedBody> {
        let (uid, resource_version, json) = self.with(|entries| entries.touch(key))?;
        let body = serde_json::from_slice(&json).ok()?;
        Some(CachedBody { uid, resource_version, body })
    }

    /// Forgets an object.
    pub fn remove(&self, key: &ObjectKey) {
        self.with(|entries| entries.remove(key));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Entries) -> T) -> T {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut entries);
        self.metrics.cached(entries.bytes);
        result
    }
}

impl Entries {
    fn insert(&mut self, key: &ObjectKey, object: &RawObject, json: Arc<[u8]>) {
        self.remove(key);
        let names = key.namespace.len() + key.name.len();
        let bytes = json.len() + 2 * names + ENTRY_BYTES;
        let used = self.tick();
        let (uid, resource_version) = (object.uid.clone(), object.resource_version.clone());
        self.by_key.insert(key.clone(), Entry { uid, resource_version, json, used, bytes });
        self.by_use.insert(used, key.clone());
        self.bytes += bytes;
    }

    fn touch(&mut self, key: &ObjectKey) -> Option<(Uid, ResourceVersion, Arc<[u8]>)> {
        let now = self.tick();
        let entry = self.by_key.get_mut(key)?;
        self.by_use.remove(&entry.used);
        self.by_use.insert(now, key.clone());
        entry.used = now;
        Some((entry.uid.clone(), entry.resource_version.clone(), Arc::clone(&entry.json)))
    }

    fn remove(&mut self, key: &ObjectKey) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }

    fn shrink(&mut self, limit: usize) {
        while self.bytes > limit {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            if let Some(entry) = self.by_key.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;
    use serde_json::json;

    use super::*;
    use crate::object::{Tree, read_tree};

    fn object(name: &str, uid: &str, version: &str, padding: usize) -> (ObjectKey, RawObject) {
        let metadata = json!({"name": name, "uid": uid, "resourceVersion": version});
        let body = json!({"metadata": metadata, "data": "x".repeat(padding)});
        let object = RawObject::from_tree(Tree { body, too_deep: false }).unwrap();
        (ObjectKey::local_cluster_scoped(Kind::Namespace, name), object)
    }

    fn cache(limit: usize) -> BodyCache {
        BodyCache::new(limit, Arc::default())
    }

    #[test]
    fn a_body_comes_back_with_its_life_and_version() {
        let cache = cache(DEFAULT_CACHE_BYTES);
        let (key, object) = object("a", "u", "7", 3);
        assert_eq!(cache.get(&key), None);
        cache.put(&key, &object);
        let expected =
            CachedBody { uid: "u".into(), resource_version: "7".into(), body: object.body.clone() };
        assert_eq!(cache.get(&key), Some(expected));
        cache.remove(&key);
        assert_eq!(cache.get(&key), None);
    }

    #[test]
    fn an_older_version_of_the_same_life_does_not_return() {
        let cache = cache(DEFAULT_CACHE_BYTES);
        let version = |uid, version| {
            let (key, object) = object("a", uid, version, 0);
            cache.put(&key, &object);
            cache.get(&key).unwrap().resource_version
        };
        assert_eq!(version("u", "10"), "10".into());
        assert_eq!(version("u", "9"), "10".into());
        assert_eq!(version("v", "3"), "3".into());
    }

    #[test]
    fn the_one_used_longest_ago_leaves_and_the_bound_holds() {
        let cache = cache(4000);
        let keys: Vec<ObjectKey> = ["a", "b", "c"]
            .map(|name| {
                let (key, object) = object(name, "u", "1", 900);
                cache.put(&key, &object);
                key
            })
            .into();
        assert!(cache.get(&keys[0]).is_some());
        let (fourth, object_) = object("d", "u", "1", 900);
        cache.put(&fourth, &object_);
        let present: Vec<bool> = keys.iter().map(|key| cache.get(key).is_some()).collect();
        assert_eq!(present, [true, false, true]);
        assert!(cache.entries.lock().unwrap().bytes <= 4000);
    }

    #[test]
    fn what_is_larger_than_half_of_it_is_not_kept_and_drives_out_nothing() {
        let cache = cache(2000);
        let (small, body) = object("small", "u", "1", 100);
        cache.put(&small, &body);
        for padding in [100, 1000, 5000] {
            let (key, body) = object("a", "u", "1", padding);
            cache.put(&key, &body);
            assert_eq!(cache.get(&key).is_some(), padding == 100, "{padding}");
            assert!(cache.get(&small).is_some(), "{padding}");
        }
    }

    #[test]
    fn a_body_that_was_not_read_whole_is_not_kept() {
        let cache = cache(DEFAULT_CACHE_BYTES);
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let text = format!(r#"{{"metadata":{{"name":"a","uid":"u","resourceVersion":"1"}},"x":{deep}}}"#);
        let object = RawObject::from_tree(read_tree(text.as_bytes()).unwrap()).unwrap();
        let key = ObjectKey::local_cluster_scoped(Kind::Namespace, "a");
        cache.put(&key, &object);
        assert_eq!(cache.get(&key), None);
    }
}
