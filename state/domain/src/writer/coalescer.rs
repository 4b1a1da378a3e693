//! Floods of updates: what changes all the time is recorded now and then, and always with its last value.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    windows: BTreeMap<Subject, Window>,
    /// Every window once, the oldest first.
    opened: VecDeque<(u64, Subject)>,
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
        let window = self.windows.entry(subject.clone()).or_insert_with(|| {
            self.opened.push_back((now, subject.clone()));
            Window { opened: now, updates: 0 }
        });
        window.updates = window.updates.saturating_add(1);
        let often = window.updates > UPDATES_A_WINDOW;
        let opened = window.opened;
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

    /// Whether something is held that a cursor would cover.
    fn holds_before(&self, subject: &Subject) -> bool {
        let Subject::Watch(watch) = subject else { return false };
        self.held.keys().any(|held| matches!(held, Subject::Object(object) if covers(watch, object)))
    }

    /// What is held and whose window closed by `now`, in the order in which it must be recorded.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Event> {
        let mut released = Vec::new();
        while self.opened.front().is_some_and(|(opened, _)| opened.saturating_add(WINDOW_MILLIS) <= now) {
            released.extend(self.close_oldest(now));
        }
        released
    }

    /// Ends the oldest count when there are too many to begin one for this event.
    pub(super) fn make_room(&mut self, event: &Event, now: u64) -> Vec<Event> {
        let known = subject_of(event).is_none_or(|subject| self.windows.contains_key(&subject));
        if known || self.windows.len() < SUBJECTS { Vec::new() } else { self.close_oldest(now) }
    }

    fn close_oldest(&mut self, now: u64) -> Vec<Event> {
        let Some((opened, subject)) = self.opened.pop_front() else { return Vec::new() };
        self.windows.remove(&subject);
        if !self.closing.remove(&(opened, subject.clone())) {
            return Vec::new();
        }
        // What is recorded at the end of a window is the first update of the next one.
        self.opened.push_back((now, subject.clone()));
        self.windows.insert(subject.clone(), Window { opened: now, updates: 1 });
        self.release(&[subject])
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

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.windows.len().max(self.opened.len()).max(self.held.len()).max(self.closing.len())
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
