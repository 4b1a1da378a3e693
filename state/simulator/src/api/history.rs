//! What watches are answered from: changes, until they are compacted.

use std::collections::BTreeMap;
use std::rc::Rc;

use liqo_model::Kind;

use super::Stored;

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) object: Rc<Stored>,
    pub(crate) deleted: bool,
}

/// The version is older than what is remembered: 410.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Changes by kind, in the order of their versions.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    changes: BTreeMap<Kind, Vec<Change>>,
    compacted: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        self.changes.entry(change.object.key.kind).or_default().push(change);
    }

    /// Changes of a kind after a version.
    pub(super) fn since(&self, kind: Kind, version: u64) -> Result<&[Change], Gone> {
        if version < self.compacted {
            return Err(Gone);
        }
        let changes = self.changes.get(&kind).map_or(&[][..], Vec::as_slice);
        Ok(&changes[changes.partition_point(|change| change.version <= version)..])
    }

    pub(super) fn newest(&self, kind: Kind) -> u64 {
        self.changes.get(&kind).and_then(|changes| changes.last()).map_or(0, |change| change.version)
    }

    pub(super) fn newest_of_all(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        let newest = |(kind, changes): (&Kind, &Vec<Change>)| Some((*kind, changes.last()?.version));
        self.changes.iter().filter_map(newest)
    }

    pub(super) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Forgets everything up to a version.
    pub(super) fn compact(&mut self, version: u64) {
        self.compacted = self.compacted.max(version);
        for changes in self.changes.values_mut() {
            changes.drain(..changes.partition_point(|change| change.version <= version));
        }
    }

    /// Forgets everything; the counter stands at `version` now.
    pub(super) fn restart(&mut self, version: u64) {
        *self = Self { changes: BTreeMap::new(), compacted: version };
    }
}
