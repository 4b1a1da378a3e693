//! What administrators do to the store as a whole.

use std::collections::BTreeMap;
use std::rc::Rc;

use liqo_model::{ObjectKey, Uid};

use super::Stored;
use super::server::{ApiServer, LeaseRecord};

/// How many versions a backup is older than what is restored over, at least. Restoring takes longer than a handful of
/// writes; a backup that is not noticeably older is noticed by nobody before the next list.
const UNRELATED: u64 = 100_000;

/// A copy of the store.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    uid: Uid,
    version: u64,
    objects: BTreeMap<ObjectKey, Rc<Stored>>,
    lease: Option<LeaseRecord>,
}

impl ApiServer {
    /// Copies the store. Other kinds than those of the model are written a lot from then on.
    pub(crate) fn back_up(&mut self) -> Backup {
        let backup = Backup {
            uid: self.uid.clone(),
            version: self.version,
            objects: self.objects.clone(),
            lease: self.lease.clone(),
        };
        self.version += UNRELATED;
        backup
    }

    /// Puts a copy in the place of the store. Some tools begin a new life, which the uid of namespace kube-system shows.
    pub(crate) fn restore(&mut self, backup: &Backup, new_life: bool, now: u64) {
        self.uid = if new_life { self.new_uid() } else { backup.uid.clone() };
        self.version = backup.version;
        self.objects.clone_from(&backup.objects);
        self.lease.clone_from(&backup.lease);
        self.reboot(now);
    }

    /// Begins with an empty store.
    pub(crate) fn rebuild(&mut self, now: u64) {
        self.uid = self.new_uid();
        self.version = 100;
        self.objects.clear();
        self.lease = None;
        self.reboot(now);
    }

    fn reboot(&mut self, now: u64) {
        self.history.restart(self.version);
        self.boots += 1;
        self.restored_at = Some(now);
    }
}
