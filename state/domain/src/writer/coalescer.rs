//! Floods of updates: what changes all the time is recorded now and then, and always with its last value.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use liqo_events::{Event, WatchKey};
use liqo_model::{ClusterRef, ObjectKey};

/// Updates of one object that are let through in a window. Source: the design; nothing that a user waits for changes
/// once a second for a minute.
pub const UPDATES_A_WINDOW: u32 = 60;

/// Length of a window.
pub const WINDOW_MILLIS: u64 = 60_000;

/// Objects that are counted at the same time: about 1 MiB of names. When more than that change within a minute, the one
/// that was counted for longest is counted anew; its updates are let through, and back-pressure is the bound.
pub const SUBJECTS: usize = 4096;

/// What updates are counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Object(ObjectKey),
    /// The cursor of a watch. It must not be recorded before an update that it covers: after a crash nobody would send
    /// that update again.
    Watch(WatchKey),
}

#[derive(Clone, Debug)]
struct Window {
    opened: u64,
    updates: u32,
}

/// The last update, and how many it replaced.
#[derive(Clone, Debug)]
struct Held {
    event: Event,
    replaced: u32,
}

impl Held {
    fn replace(&mut self, event: Event) {
        self.replaced = self.replaced.saturating_add(1);
        // A late echo of an older version must not be the last word.
        let echo = match (&self.event, &event) {
            (Event::Applied(held), Event::Applied(new)) => {
                held.uid == new.uid && new.resource_version.is_older_than(&held.resource_version)
            }
            _ => false,
        };
        if !echo {
            self.event = event;
        }
    }
}

/// Counts updates and holds back what comes too often.
#[derive(Clone, Debug, Default)]
pub(super) struct Coalescer {
    windows: BTreeMap<Arc<Subject>, Window>,
    /// Every window once, the oldest first.
    opened: VecDeque<(u64, Arc<Subject>)>,
    held: BTreeMap<Subject, Held>,
    /// Windows of what is held, the oldest first.
    closing: BTreeSet<(u64, Subject)>,
}

impl Coalescer {
    /// Whether an update of the object is held back. The next one then replaces it, whatever the state says: the state
    /// has not seen the one that is held.
    pub(super) fn holds(&self, object: &ObjectKey) -> bool {
        self.held.contains_key(&Subject::Object(object.clone()))
    }

    /// Gives the event back when it is to be recorded now, and keeps it otherwise. Events of no subject are given back.
    pub(super) fn offer(&mut self, event: Event, now: u64) -> Option<Event> {
        let Some(subject) = subject_of(&event) else { return Some(event) };
        let (opened, updates) = self.count(&subject, now);
        let often = updates > UPDATES_A_WINDOW;
        if !often && !self.held.contains_key(&subject) && !self.holds_before(&subject) {
            return Some(event);
        }
        self.closing.insert((opened, subject.clone()));
        match self.held.get_mut(&subject) {
            Some(held) => held.replace(event),
            None => {
                self.held.insert(subject, Held { event, replaced: 0 });
            }
        }
        None
    }

    /// Counts an update; gives when its window opened, and which update of it this is.
    fn count(&mut self, subject: &Subject, now: u64) -> (u64, u32) {
        match self.windows.get_mut(subject) {
            Some(window) => {
                window.updates = window.updates.saturating_add(1);
                (window.opened, window.updates)
            }
            None => {
                self.open(Arc::new(subject.clone()), now);
                (now, 1)
            }
        }
    }

    /// Opens a window with its first update.
    fn open(&mut self, subject: Arc<Subject>, now: u64) {
        self.opened.push_back((now, Arc::clone(&subject)));
        self.windows.insert(subject, Window { opened: now, updates: 1 });
    }

    /// Whether something is held that a cursor would cover.
    fn holds_before(&self, subject: &Subject) -> bool {
        let Subject::Watch(watch) = subject else { return false };
        self.held.keys().any(|held| matches!(held, Subject::Object(object) if covers(watch, object)))
    }

    /// What is held and whose window closed by `now`, in the order in which it must be recorded.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Event> {
        let mut released = Vec::new();
        while self.opened.front().is_some_and(|(opened, _)| opened.saturating_add(WINDOW_MILLIS) <= now) {
            let Some((subject, events)) = self.close_oldest() else { break };
            if !events.is_empty() {
                // What is recorded at the end of a window is the first update of the next one.
                self.open(subject, now);
            }
            released.extend(events);
        }
        released
    }

    /// Ends the oldest count when there are too many to begin one for this event.
    pub(super) fn make_room(&mut self, event: &Event) -> Vec<Event> {
        let known = subject_of(event).is_none_or(|subject| self.windows.contains_key(&subject));
        let full = !known && self.windows.len() >= SUBJECTS;
        full.then(|| self.close_oldest()).flatten().map(|(_, events)| events).unwrap_or_default()
    }

    fn close_oldest(&mut self) -> Option<(Arc<Subject>, Vec<Event>)> {
        let (_, subject) = self.opened.pop_front()?;
        let events = self.release(std::slice::from_ref(subject.as_ref()));
        self.windows.remove(&subject);
        Some((subject, events))
    }

    /// What is held of one object.
    pub(super) fn release_object(&mut self, object: &ObjectKey) -> Vec<Event> {
        self.release(&[Subject::Object(object.clone())])
    }

    /// What is held of a watch: its objects, then its cursor.
    pub(super) fn release_watch(&mut self, watch: &WatchKey) -> Vec<Event> {
        self.release_if(|subject| match subject {
            Subject::Object(object) => covers(watch, object),
            Subject::Watch(held) => held == watch,
        })
    }

    /// What is held of a cluster.
    pub(super) fn release_cluster(&mut self, cluster: &ClusterRef) -> Vec<Event> {
        self.release_if(|subject| match subject {
            Subject::Object(object) => object.cluster == *cluster,
            Subject::Watch(watch) => watch.cluster == *cluster,
        })
    }

    /// Everything that is held.
    pub(super) fn release_all(&mut self) -> Vec<Event> {
        self.release_if(|_| true)
    }

    fn release_if(&mut self, wanted: impl Fn(&Subject) -> bool) -> Vec<Event> {
        // The order of subjects puts objects before cursors.
        let subjects: Vec<Subject> = self.held.keys().filter(|subject| wanted(subject)).cloned().collect();
        self.release(&subjects)
    }

    fn release(&mut self, subjects: &[Subject]) -> Vec<Event> {
        let mut released = Vec::new();
        for subject in subjects {
            if let Subject::Watch(watch) = subject {
                let covered: Vec<Subject> =
                    self.held.keys().filter(|held| is_of(watch, held)).cloned().collect();
                released.extend(covered.iter().filter_map(|object| self.take(object)));
            }
            released.extend(self.take(subject));
        }
        released
    }

    fn take(&mut self, subject: &Subject) -> Option<Event> {
        let Held { mut event, replaced } = self.held.remove(subject)?;
        if let Some(window) = self.windows.get(subject) {
            self.closing.remove(&(window.opened, subject.clone()));
        }
        if let Event::Applied(applied) = &mut event {
            applied.coalesced = applied.coalesced.saturating_add(replaced);
        }
        Some(event)
    }

    /// When the next window closes that something is held for.
    pub(super) fn next_release(&self) -> Option<u64> {
        self.closing.first().map(|(opened, _)| opened.saturating_add(WINDOW_MILLIS))
    }
}

fn subject_of(event: &Event) -> Option<Subject> {
    match event {
        Event::Applied(applied) => Some(Subject::Object(applied.object.clone())),
        Event::CursorMoved(moved) => Some(Subject::Watch(moved.watch.clone())),
        _ => None,
    }
}

fn is_of(watch: &WatchKey, subject: &Subject) -> bool {
    matches!(subject, Subject::Object(object) if covers(watch, object))
}

/// The selector of a watch may leave an object out; then it is recorded sooner than it had to be, which harms nothing.
fn covers(watch: &WatchKey, object: &ObjectKey) -> bool {
    watch.cluster == object.cluster && watch.kind == object.kind
}

#[cfg(test)]
mod tests {
    use liqo_events::{Applied, BodyDigest, CursorMoved, Facts, UnixMillis};
    use liqo_model::{Kind, ResourceVersion, Uid};
    use proptest::prelude::*;

    use super::*;

    fn object(name: &str) -> ObjectKey {
        ObjectKey::local_cluster_scoped(Kind::Namespace, name)
    }

    fn watch() -> WatchKey {
        WatchKey { cluster: ClusterRef::Local, kind: Kind::Namespace, selector: String::new() }
    }

    fn applied(name: &str, version: u64) -> Event {
        let applied = Applied {
            object: object(name),
            uid: Uid::new(name),
            resource_version: ResourceVersion::new(version.to_string()),
            generation: 0,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts: Facts::Presence,
            coalesced: 0,
        };
        applied.into()
    }

    fn cursor(version: u64) -> Event {
        CursorMoved { watch: watch(), resource_version: ResourceVersion::new(version.to_string()) }.into()
    }

    /// The subject's number, its version and how many updates the event stands for.
    fn read(event: &Event) -> (usize, u64, u32) {
        let (name, version, coalesced) = match event {
            Event::Applied(applied) => (&applied.object.name, &applied.resource_version, applied.coalesced),
            Event::CursorMoved(moved) => (&String::new(), &moved.resource_version, 0),
            other => panic!("{other:?}"),
        };
        (
            ["a", "b", ""].iter().position(|known| known == name).unwrap(),
            version.as_str().parse().unwrap(),
            coalesced + 1,
        )
    }

    fn size(coalescer: &Coalescer) -> usize {
        let Coalescer { windows, opened, held, closing } = coalescer;
        assert_eq!((windows.len(), held.len()), (opened.len(), closing.len()));
        windows.len().max(held.len())
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Offer(usize, u32),
        Pass(u64),
        ReleaseObject,
        ReleaseWatch,
        ReleaseCluster,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0_usize..3, 1_u32..70).prop_map(|(subject, times)| Step::Offer(subject, times)),
            3 => (0_u64..70_000).prop_map(Step::Pass),
            1 => Just(Step::ReleaseObject),
            1 => Just(Step::ReleaseWatch),
            1 => Just(Step::ReleaseCluster),
        ];
        proptest::collection::vec(step, 0..40)
    }

    /// Takes the steps and gives what was offered, as subject and version, and what came out.
    fn run(steps: Vec<Step>) -> (Vec<(usize, u64)>, Vec<Event>) {
        let (mut coalescer, mut now) = (Coalescer::default(), 0);
        let (mut offered, mut out) = (Vec::new(), Vec::new());
        for step in steps {
            let released = match step {
                Step::Offer(subject, times) => {
                    for _ in 0..times {
                        let version = offered.len() as u64 + 1;
                        offered.push((subject, version));
                        let event = match subject {
                            0 => applied("a", version),
                            1 => applied("b", version),
                            _ => cursor(version),
                        };
                        out.extend(coalescer.offer(event, now));
                    }
                    Vec::new()
                }
                Step::Pass(millis) => {
                    now += millis;
                    coalescer.expire(now)
                }
                Step::ReleaseObject => coalescer.release_object(&object("a")),
                Step::ReleaseWatch => coalescer.release_watch(&watch()),
                Step::ReleaseCluster => coalescer.release_cluster(&ClusterRef::Local),
            };
            out.extend(released);
            assert!(size(&coalescer) <= 3);
            assert!(coalescer.next_release().is_none_or(|at| at > now));
        }
        out.extend(coalescer.release_all());
        assert_eq!(coalescer.next_release(), None);
        (offered, out)
    }

    proptest! {
        #[test]
        fn the_last_word_always_comes_and_every_update_is_counted(steps in steps()) {
            let (offered, out) = run(steps);
            for subject in 0..3 {
                let last = |version: Option<u64>| version.unwrap_or_default();
                let said = offered.iter().filter(|(of, _)| *of == subject).map(|(_, version)| *version);
                let kept: Vec<_> = out.iter().map(read).filter(|(of, ..)| *of == subject).collect();
                prop_assert!(kept.is_sorted());
                prop_assert_eq!(last(kept.last().map(|(_, version, _)| *version)), last(said.clone().next_back()));
                if subject < 2 {
                    let counted: u32 = kept.iter().map(|(.., updates)| updates).sum();
                    prop_assert_eq!(usize::try_from(counted).unwrap(), said.count());
                }
            }
        }

        #[test]
        fn a_cursor_never_comes_before_what_it_covers(steps in steps()) {
            let (offered, out) = run(steps);
            for (position, event) in out.iter().enumerate() {
                let (2, cursor, _) = read(event) else { continue };
                for object in 0..2 {
                    let covered = offered.iter().filter(|(of, version)| *of == object && *version < cursor);
                    let seen = out[..position].iter().map(read).filter(|(of, ..)| *of == object);
                    let seen = seen.map(|(_, version, _)| version).max();
                    prop_assert!(covered.map(|(_, version)| *version).max() <= seen, "{cursor}");
                }
            }
        }

        #[test]
        fn no_window_lets_more_through_than_it_may(times in 1_u32..2_000) {
            let (_, out) = run(vec![Step::Offer(0, times), Step::Pass(WINDOW_MILLIS), Step::Offer(0, times)]);
            let most = usize::try_from(UPDATES_A_WINDOW).unwrap();
            prop_assert!(out.len() <= 2 * most + 1, "{}", out.len());
        }
    }

    #[test]
    fn what_is_counted_is_bounded_and_what_is_held_comes_out_when_it_makes_room() {
        let mut coalescer = Coalescer::default();
        for version in 0..100 {
            coalescer.offer(applied("busy", version), 0);
        }
        let mut out = Vec::new();
        for number in 0..SUBJECTS + 10 {
            let event = applied(&format!("pod-{number}"), 1);
            out.extend(coalescer.make_room(&event));
            assert!(coalescer.offer(event, 1).is_some());
            assert!(size(&coalescer) <= SUBJECTS);
        }
        let [Event::Applied(busy)] = &out[..] else { panic!("{out:?}") };
        assert_eq!((busy.resource_version.as_str(), busy.coalesced), ("99", 39));
    }
}
