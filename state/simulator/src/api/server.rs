//! Reading and writing.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use liqo_events::{Facts, UnixMillis};
use liqo_model::{Kind, ObjectKey, Uid};

use super::history::{Change, Gone, History};
use super::object::{Stored, spec};

/// Keeps a namespace until its content is gone.
pub(super) const CONTENT: &str = "kubernetes";

/// Why a request was not carried out, or was without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 404: the object, or the namespace that it would be made in.
    NotFound,
    /// 409: it exists.
    Exists,
    /// 409: its version is another one.
    Conflict,
    /// 403: its namespace is being deleted.
    Terminating,
    /// 403: the peer gives no right to it.
    Forbidden,
    /// 429, with the wish of the server in milliseconds.
    Throttled(u64),
    /// 500 or 503; nothing was done.
    Unavailable,
    /// No answer came; the request was carried out or not.
    Timeout,
}

/// An object that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) key: ObjectKey,
    pub(crate) facts: Facts,
    pub(crate) rest: String,
    /// Objects without which it goes.
    pub(crate) owners: BTreeSet<(Kind, String, Uid)>,
}

impl New {
    /// An object that belongs to no other.
    pub(crate) fn of(key: ObjectKey, facts: Facts) -> Self {
        Self { key, facts, rest: String::new(), owners: BTreeSet::new() }
    }
}

/// The Lease of the control plane, as far as the protocol needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRecord {
    pub(crate) holder: Uid,
    pub(crate) epoch: u64,
    /// By the wall clock of the holder.
    pub(crate) renewed_at: UnixMillis,
    pub(crate) version: u64,
}

/// One API server with its store.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    /// Uid of namespace kube-system.
    pub(crate) uid: Uid,
    pub(crate) lease: Option<LeaseRecord>,
    /// Does not answer until then.
    pub(crate) down_until: u64,
    /// Of a hundred requests, how many go wrong, until then.
    pub(crate) bad: (u64, u64),
    /// Each start breaks every connection.
    pub(crate) boots: u64,
    /// Writes but those of the lease.
    pub(crate) writes: u64,
    /// When the store was last taken back.
    pub(crate) restored_at: Option<u64>,
    pub(super) version: u64,
    pub(super) objects: BTreeMap<ObjectKey, Rc<Stored>>,
    pub(super) history: History,
    pub(super) serial: u64,
    pub(super) name: String,
}

impl ApiServer {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            uid: format!("{name}-life-0").into(),
            lease: None,
            down_until: 0,
            bad: (0, 0),
            boots: 0,
            writes: 0,
            restored_at: None,
            version: 100,
            objects: BTreeMap::new(),
            history: History::default(),
            serial: 0,
            name: name.to_owned(),
        }
    }

    /// The newest version, which lists and bookmarks carry.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The newest version of a kind.
    pub(crate) fn newest(&self, kind: Kind) -> u64 {
        self.history.newest(kind)
    }

    /// The newest version of each kind.
    pub(crate) fn newest_of_all(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        self.history.newest_of_all()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Rc<Stored>> {
        self.objects.get(key)
    }

    /// A complete list of a kind.
    pub(crate) fn list(&self, kind: Kind) -> impl Iterator<Item = &Rc<Stored>> {
        self.objects.values().filter(move |object| object.key.kind == kind)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &Rc<Stored>> {
        self.objects.values()
    }

    /// Changes of a kind after a version.
    pub(crate) fn since(&self, kind: Kind, version: u64) -> Result<&[Change], Gone> {
        self.history.since(kind, version)
    }

    /// The oldest version that a watch may begin at.
    pub(crate) fn compacted(&self) -> u64 {
        self.history.compacted()
    }

    pub(crate) fn compact(&mut self, version: u64) {
        self.history.compact(version.min(self.version));
    }

    /// Makes an object and gives its version.
    pub(crate) fn create(&mut self, new: New, at: UnixMillis) -> Result<u64, Refusal> {
        if self.objects.contains_key(&new.key) {
            return Err(Refusal::Exists);
        }
        if !new.key.namespace.is_empty() {
            let namespace = ObjectKey::local_cluster_scoped(Kind::Namespace, new.key.namespace.as_str());
            match self.objects.get(&namespace) {
                None => return Err(Refusal::NotFound),
                Some(namespace) if namespace.deleting => return Err(Refusal::Terminating),
                Some(_) => {}
            }
        }
        let content = (new.key.kind == Kind::Namespace).then(|| CONTENT.to_owned());
        let stored = Stored {
            uid: self.new_uid(),
            version: 0,
            generation: i64::from(spec(&new.facts).is_some()),
            created_at: UnixMillis(at.0 / 1000 * 1000),
            deleting: false,
            finalizers: content.into_iter().collect(),
            owners: new.owners,
            facts: new.facts,
            malformed: None,
            rest: new.rest,
            key: new.key,
        };
        Ok(self.commit(stored))
    }

    /// Puts `after` in the place of the object when that still has version `expected`; without a change nothing happens.
    pub(crate) fn replace(&mut self, expected: u64, mut after: Stored) -> Result<u64, Refusal> {
        let Some(before) = self.objects.get(&after.key) else { return Err(Refusal::NotFound) };
        if before.version != expected || before.uid != after.uid {
            return Err(Refusal::Conflict);
        }
        after.settle();
        if **before == after {
            return Ok(before.version);
        }
        if spec(&before.facts) != spec(&after.facts) {
            after.generation += 1;
        }
        Ok(self.commit(after))
    }

    /// Changes an object whatever its version.
    pub(crate) fn change(
        &mut self,
        key: &ObjectKey,
        change: impl FnOnce(&mut Stored),
    ) -> Result<u64, Refusal> {
        let before = self.objects.get(key).ok_or(Refusal::NotFound)?;
        let (expected, mut after) = (before.version, Stored::clone(before));
        change(&mut after);
        self.replace(expected, after)
    }

    /// Begins the end of an object, which is at once unless a finalizer keeps it.
    pub(crate) fn delete(&mut self, key: &ObjectKey) -> Result<u64, Refusal> {
        let before = self.objects.get(key).ok_or(Refusal::NotFound)?;
        if before.deleting {
            return Ok(before.version);
        }
        let mut after = Stored::clone(before);
        after.deleting = true;
        // As graceful deletion does.
        after.generation += i64::from(after.generation > 0);
        Ok(self.commit(after))
    }

    /// Takes or renews the lease of a known version, and gives the version after it.
    pub(crate) fn put_lease(
        &mut self,
        expected: Option<u64>,
        mut record: LeaseRecord,
    ) -> Result<u64, Refusal> {
        if self.lease.as_ref().map(|lease| lease.version) != expected {
            return Err(Refusal::Conflict);
        }
        self.version += 1;
        record.version = self.version;
        self.lease = Some(record);
        Ok(self.version)
    }

    fn commit(&mut self, mut object: Stored) -> u64 {
        self.version += 1;
        self.writes += 1;
        object.version = self.version;
        object.settle();
        let deleted = object.deleting && object.finalizers.is_empty();
        let object = Rc::new(object);
        if deleted {
            self.objects.remove(&object.key);
        } else {
            self.objects.insert(object.key.clone(), Rc::clone(&object));
        }
        self.history.push(Change { version: self.version, object, deleted });
        self.version
    }

    /// Never given twice, whatever happens to the store.
    pub(super) fn new_uid(&mut self) -> Uid {
        self.serial += 1;
        format!("{}-{}", self.name, self.serial).into()
    }
}
