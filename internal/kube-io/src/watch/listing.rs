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
    present: Present,
    versions: drift::Listing,
}

/// The objects of a list, in one piece of memory. A list goes on while what it showed finds its place in the state: texts
/// of both in turns would leave holes behind, as many as there are objects.
#[derive(Debug, Default)]
struct Present {
    text: String,
    /// Where namespace, name and uid of each object end.
    ends: Vec<[usize; 3]>,
}

impl Present {
    fn push(&mut self, key: &ObjectKey, uid: &Uid) {
        let ends = [key.namespace.as_str(), &key.name, uid.as_str()].map(|text| {
            self.text.push_str(text);
            self.text.len()
        });
        self.ends.push(ends);
    }

    fn of(self, watch: &WatchKey) -> BTreeMap<ObjectKey, Uid> {
        let mut begin = 0;
        let texts = self.ends.iter().map(|ends| {
            ends.map(|end| {
                let text = self.text.get(begin..end).unwrap_or_default();
                begin = end;
                text
            })
        });
        let (cluster, kind) = (&watch.cluster, watch.kind);
        let key = |namespace: &str, name: &str| ObjectKey {
            cluster: cluster.clone(),
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        texts.map(|[namespace, name, uid]| (key(namespace, name), Uid::from(uid))).collect()
    }
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
        self.present.push(&applied.object, &applied.uid);
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
        let present = self.present.of(&watch);
        (Listed { watch, resource_version, generation, present }, self.versions)
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::{ClusterRef, Kind};

    use super::*;

    #[test]
    fn what_was_listed_is_present_under_its_name() {
        let watch = WatchKey { cluster: ClusterRef::Local, kind: Kind::Pod, selector: String::new() };
        let objects = [("shop", "é-1", "u1"), ("", "b", ""), ("shop", "a", "u2"), ("shop", "a", "u3")];
        let mut present = Present::default();
        for (namespace, name, uid) in objects {
            present.push(&ObjectKey::local(Kind::Pod, namespace, name), &uid.into());
        }
        let expected = [(("shop", "é-1"), "u1"), (("", "b"), ""), (("shop", "a"), "u3")];
        let expected: BTreeMap<ObjectKey, Uid> = expected
            .map(|((namespace, name), uid)| (ObjectKey::local(Kind::Pod, namespace, name), uid.into()))
            .into();
        assert_eq!(present.of(&watch), expected);
    }
}
