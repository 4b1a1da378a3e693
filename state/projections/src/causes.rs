//! Why something is as it is: the events that led to the last one about it, and what followed from them.
//!
//! Events name their cause. Two more links are made here: an outcome belongs to the command that it ended, and an object
//! that a watch shows in the very version that one of our commands left it in is the echo of that command.

mod link;
mod tree;

use std::collections::{BTreeMap, VecDeque};

use liqo_events::{CommandId, Recorded, Seq};

use crate::{ObjectPattern, command_of, object_of};
use link::Link;

/// Events that are looked at, from the end of the log back: more than a busy day, in about 15 MB of memory.
pub const MOST_LINKS: usize = 200_000;
/// Events that an explanation has at most: more does not help a reader.
pub const MOST_STEPS: usize = 256;
/// Levels that an explanation has at most, from what is asked for up and down.
pub const MOST_DEPTH: u32 = 64;

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The last event about these objects.
    Object(ObjectPattern),
    /// The command.
    Command(CommandId),
    /// This event.
    Event(Seq),
}

/// How an event follows from the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// From nothing: it came from outside.
    Origin,
    /// The log says that the one above made it necessary.
    Caused,
    /// It is how the command above ended, or that it is tried again.
    Outcome,
    /// It is the object as the command above left it.
    Echo,
    /// Its cause is not in the log any more, or beyond the depth.
    Cut,
}

/// One event of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The event.
    pub seq: Seq,
    /// Its distance from the first one.
    pub depth: u32,
    /// How it follows from the nearest step above it that has a smaller depth.
    pub relation: Relation,
    /// Whether it is the one that was asked for.
    pub asked: bool,
}

/// An explanation: a tree in the order in which it is shown, each event below its own cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// From the first cause on.
    pub steps: Vec<Step>,
    /// Consequences that were left out.
    pub omitted: u64,
    /// The earliest event that was looked at.
    pub searched_from: Seq,
}

/// Looks at events in their order and remembers how they follow from each other, and nothing else of them.
#[derive(Clone, Debug)]
pub struct Trace {
    subject: Subject,
    most_links: usize,
    links: VecDeque<Link>,
    issued: BTreeMap<CommandId, Seq>,
    asked: Option<Seq>,
}

impl Trace {
    /// Begins to look.
    pub fn new(subject: Subject) -> Self {
        Self { subject, most_links: MOST_LINKS, links: VecDeque::new(), issued: BTreeMap::new(), asked: None }
    }

    /// Looks at the next event. When there are more than [`MOST_LINKS`], the earliest is forgotten.
    pub fn look_at(&mut self, recorded: &Recorded) {
        let link = Link::of(recorded);
        if let Some(id) = link.issues() {
            self.issued.insert(id, link.seq);
        }
        if self.is_asked_for(recorded) {
            self.asked = Some(recorded.seq);
        }
        if self.links.len() == self.most_links
            && let Some(forgotten) = self.links.pop_front()
            && let Some(id) = forgotten.issues()
        {
            self.issued.remove(&id);
        }
        self.links.push_back(link);
    }

    fn is_asked_for(&self, recorded: &Recorded) -> bool {
        match &self.subject {
            Subject::Object(wanted) => object_of(&recorded.event).is_some_and(|object| wanted.fits(object)),
            Subject::Command(id) => command_of(&recorded.event) == Some(*id),
            Subject::Event(seq) => recorded.seq == *seq,
        }
    }

    /// The explanation, `depth` levels up and down from what was asked for; nothing when no event was about it.
    ///
    /// At most [`MOST_STEPS`] steps and [`MOST_DEPTH`] levels. What led there comes first, then what followed from what
    /// was asked for, then what else followed from the same causes.
    pub fn explain(&self, depth: u32) -> Option<Explanation> {
        let asked = self.asked.filter(|asked| self.links.front().is_some_and(|first| first.seq <= *asked))?;
        let searched_from = self.links.front()?.seq;
        let (steps, omitted) = tree::grow(&self.parents(), asked, depth.clamp(1, MOST_DEPTH));
        Some(Explanation { steps, omitted, searched_from })
    }

    /// What each event follows from, and how.
    fn parents(&self) -> BTreeMap<Seq, (Option<Seq>, Relation)> {
        let written = self.versions_written();
        let known = |seq: &Seq| self.links.front().is_some_and(|first| first.seq <= *seq);
        let parent = |link: &Link| -> (Option<Seq>, Relation) {
            if let Some(issue) = link.ends().and_then(|id| self.issued.get(&id)) {
                return (Some(*issue), Relation::Outcome);
            }
            if let Some(cause) = link.caused_by {
                return if known(&cause) { (Some(cause), Relation::Caused) } else { (None, Relation::Cut) };
            }
            let echo = link.seen_version().and_then(|version| written.get(&version));
            match echo {
                // A command that was issued later found the object as it should be, and did not make this version.
                Some((issue, success)) if *issue < link.seq => (Some(*success), Relation::Echo),
                Some(_) | None if link.ends().is_some() => (None, Relation::Cut),
                Some(_) | None => (None, Relation::Origin),
            }
        };
        self.links.iter().map(|link| (link.seq, parent(link))).collect()
    }

    /// Versions of objects that commands left, with the issue and the success of the command.
    fn versions_written(&self) -> BTreeMap<u64, (Seq, Seq)> {
        let mut written = BTreeMap::new();
        for link in &self.links {
            let issue = link.ends().and_then(|id| self.issued.get(&id));
            if let (Some(version), Some(issue)) = (link.written_version(), issue) {
                written.entry(version).or_insert((*issue, link.seq));
            }
        }
        written
    }
}

#[cfg(test)]
mod tests;
