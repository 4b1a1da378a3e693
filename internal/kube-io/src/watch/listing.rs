//! A list in the making: what of it was seen so far.

use std::collections::BTreeMap;

use liqo_domain::Listed;
use liqo_events::{Event, WatchKey};
use liqo_model::{ObjectKey, ResourceVersion, Uid};

use super::drift;
use super::observe::Observer;
use crate::object::{Page, Tree, read_page};
use crate::{BodyCache, RawObject};

/// A list in the making.
#[derive(Debug, Default)]
pub(super) struct Listing {
    present: BTreeMap<ObjectKey, Uid>,
    versions: drift::Listing,
}

/// A page whose objects became events.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) page: Page,
    pub(super) events: Vec<Event>,
    pub(super) unreadable: u32,
}

impl Listing {
    /// Reads a page. Bodies go to the cache when there is one.
    pub(super) fn page(
        &mut self,
        bytes: &[u8],
        observer: &Observer,
        cache: Option<&BodyCache>,
    ) -> Result<Read, serde_json::Error> {
        let mut events = Vec::new();
        let mut unreadable = 0_u32;
        // How much of the page is one object is not known while reading; taking the whole page for it only means that
        // the size of the events of large pages is measured.
        let page = read_page(bytes, &mut |tree: Tree| match RawObject::from_tree(tree) {
            Ok(object) => events.push(self.object(&object, bytes.len(), observer, cache)),
            Err(_) => unreadable += 1,
        })?;
        Ok(Read { page, events, unreadable })
    }

    fn object(
        &mut self,
        object: &RawObject,
        bytes: usize,
        observer: &Observer,
        cache: Option<&BodyCache>,
    ) -> Event {
        let applied = observer.applied(object, bytes);
        self.present.insert(applied.object.clone(), applied.uid.clone());
        self.versions.add(&applied.uid, &applied.resource_version);
        if let Some(cache) = cache {
            cache.put(&applied.object, object);
        }
        Event::Applied(applied)
    }

    /// The complete list, and its versions.
    pub(super) fn finish(
        self,
        watch: WatchKey,
        resource_version: ResourceVersion,
        generation: u64,
    ) -> (Listed, drift::Listing) {
        (Listed { watch, resource_version, generation, present: self.present }, self.versions)
    }
}
