//! What a watch does next: pure.
//!
//! ```text
//! identify ─► same generation ─► probe ─► not below the cursor ─► watch ─► ended ─► identify …
//!     │             │ no cursor     │ below: new generation        ▲
//!     │             ▼               ▼                              │
//!     └─ new ────► list page by page ─► commit ────────────────────┘
//! ```
//!
//! Every way back to the API server begins with the question whether it is still the same cluster, because a server that
//! was restored looks like one that was restarted. Lists name no version, so a quorum answers them.

use std::time::Duration;

use liqo_model::ResourceVersion;

use crate::{BackOff, Chance};

/// How often everything is listed although nothing asks for it, and by how much that varies: lost events of a watch are
/// healed within this time, at the cost of 0.1 ms of the server's time an object.
const RELIST_EVERY: Duration = Duration::from_secs(30 * 60);
const RELIST_SPREAD: f64 = 0.2;
/// Objects on a page. Five hundred is what other clients ask for; a page of pods has 2 MiB.
const PAGE: u32 = 500;
/// A watch that held as long as this was a good one, and its end no failure.
const GOOD: Duration = Duration::from_secs(30);
/// How often a cursor is recorded: less than the five minutes after which an API server forgets, and rarely enough that
/// an idle process writes next to nothing.
const CURSOR_EVERY: Duration = Duration::from_secs(60);
/// Longest pause after a refusal for want of rights: a peer gives them in the course of a peering, a moment after they are
/// first needed.
const DENIED_LONGEST: Duration = Duration::from_secs(4);
/// Pauses before something that could not be read is looked for in a list: it may stay unreadable for ever.
const UNREADABLE_FIRST: Duration = Duration::from_secs(60);

/// What made a list necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relist {
    /// There is no cursor, or one of another selection or generation.
    NoCursor,
    /// The server does not know the cursor's version any more.
    Expired,
    /// The cluster is not the one that it was.
    Generation,
    /// The versions have no order.
    NoOrder,
    /// It was time.
    Periodic,
    /// A command asked for it.
    Asked,
    /// The kind was not served for a while.
    Missing,
    /// Something that the watch sent could not be read.
    Unreadable,
}

impl Relist {
    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCursor => "no_cursor",
            Self::Expired => "expired",
            Self::Generation => "generation",
            Self::NoOrder => "no_order",
            Self::Periodic => "periodic",
            Self::Asked => "asked",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What is wrong while a watch waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The API server cannot be reached, answers too late, or with an error of its own.
    Unreachable,
    /// It has too much to do.
    Throttled,
    /// It does not let us.
    Denied,
    /// It does not serve the kind: the definition is missing.
    Missing,
    /// Its answers cannot be used.
    Unusable,
    /// The watch ends as soon as it begins.
    Unstable,
}

impl Trouble {
    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Unusable => "unusable",
            Self::Unstable => "unstable",
        }
    }
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Find out whether it is the same cluster.
    Identify,
    /// Ask for the version of a list of one object.
    Probe,
    /// Announce that a new generation began.
    NewGeneration { reason: String },
    /// Ask for a page; without a token it is the first one.
    List { next: Option<String>, limit: u32 },
    /// Hand over the complete list; when not complete, some of it could not be read and absence proves nothing.
    Commit { version: ResourceVersion, complete: bool },
    /// Watch from there.
    Watch { from: ResourceVersion },
    /// Wait.
    Wait { pause: Duration, trouble: Trouble },
}

/// How that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The generation of the cluster.
    Generation(u64),
    /// The version of the probed list.
    Version(ResourceVersion),
    /// A page; its objects were handed over.
    Page { version: ResourceVersion, next: Option<String>, unreadable: u32 },
    /// The list was handed over.
    Committed,
    /// The watch ended.
    Ended(End),
    /// The request failed.
    Failed(Failure),
    /// It is time again.
    Waited,
}

/// How a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server closed it, as it does every few minutes.
    Closed,
    /// Nothing came for longer than bookmarks take.
    Idle,
    /// The connection broke, or the server reported an error.
    Broken,
    /// The version is too old.
    Gone,
    /// Somebody asks for a list.
    Asked,
    /// A list is due.
    Due,
}

impl End {
    /// The name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::Broken => "broken",
            Self::Gone => "gone",
            Self::Asked => "asked",
            Self::Due => "due",
        }
    }
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// 410: the version, or the token of the next page, is too old.
    Gone,
    /// 404.
    Missing,
    /// 401 and 403.
    Denied,
    /// 429, or our own limit.
    Throttled(Option<Duration>),
    /// The page is larger than what is read.
    TooLarge,
    /// The answer makes no sense.
    Unusable,
    /// Anything else.
    Unreachable,
}

/// The state of a watch.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Up to where everything was seen, in generation `generation`.
    cursor: Option<ResourceVersion>,
    /// Up to where the watch went before the list that is being taken.
    watched_to: Option<ResourceVersion>,
    generation: u64,
    /// Why everything must be listed; nothing when the cursor is to be resumed.
    relist: Option<Relist>,
    limit: u32,
    /// What could not be read since the last complete list began.
    unreadable: u32,
    relist_at: Duration,
    opened_at: Duration,
    recorded_at: Duration,
    back_off: BackOff,
    unreadable_pause: BackOff,
}

impl Plan {
    /// A watch that resumes a cursor of a generation, or lists.
    pub(super) fn new(cursor: Option<(ResourceVersion, u64)>, now: Duration, chance: &mut Chance) -> Self {
        let relist = if cursor.is_some() { None } else { Some(Relist::NoCursor) };
        let (cursor, generation) =
            cursor.map_or((None, 0), |(version, generation)| (Some(version), generation));
        Self {
            cursor,
            watched_to: None,
            generation,
            relist,
            limit: PAGE,
            unreadable: 0,
            relist_at: now + chance.around(RELIST_EVERY, RELIST_SPREAD),
            opened_at: now,
            recorded_at: now,
            back_off: BackOff::default(),
            unreadable_pause: BackOff::between(UNREADABLE_FIRST, RELIST_EVERY),
        }
    }

    /// The first thing to do.
    pub(super) fn begin(&self) -> Ask {
        Ask::Identify
    }

    /// When everything is to be listed although nobody asks.
    pub(super) fn relist_at(&self) -> Duration {
        self.relist_at
    }

    /// Generation of the cluster that everything is about.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Why everything is listed now.
    pub(super) fn relist(&self) -> Option<Relist> {
        self.relist
    }

    /// Up to where the watch went before the list that is being taken.
    pub(super) fn watched_to(&self) -> Option<&ResourceVersion> {
        self.watched_to.as_ref()
    }

    /// Somebody asks for a list that begins from now on.
    pub(super) fn ask(&mut self) {
        self.relist.get_or_insert(Relist::Asked);
    }

    /// The watch handed over everything up to this version. Gives the cursor back when it is to be recorded.
    pub(super) fn moved(&mut self, version: ResourceVersion, now: Duration) -> Option<ResourceVersion> {
        let back = self.cursor.as_ref().is_some_and(|cursor| version.is_older_than(cursor));
        if back {
            return None;
        }
        self.cursor = Some(version.clone());
        // A restart must not skip what could not be read.
        if self.unreadable > 0 || now.saturating_sub(self.recorded_at) < CURSOR_EVERY {
            return None;
        }
        self.recorded_at = now;
        Some(version)
    }

    /// The watch sent something that cannot be read: a list will show what it was, later each time.
    pub(super) fn unreadable(&mut self, now: Duration, chance: &mut Chance) {
        self.unreadable = self.unreadable.saturating_add(1);
        let pause = self.unreadable_pause.next(chance);
        self.relist_at = self.relist_at.min(now + pause);
    }

    /// What to do after an answer.
    pub(super) fn next(&mut self, answer: Answer, now: Duration, chance: &mut Chance) -> Ask {
        match answer {
            Answer::Waited => Ask::Identify,
            Answer::Generation(generation) => self.identified(generation),
            Answer::Version(version) => self.probed(&version, now),
            Answer::Page { version, next, unreadable } => self.listed(version, next, unreadable),
            Answer::Committed => self.committed(now, chance),
            Answer::Ended(end) => self.ended(end, now, chance),
            Answer::Failed(failure) => self.failed(failure, chance),
        }
    }

    fn identified(&mut self, generation: u64) -> Ask {
        if generation != self.generation {
            let known = self.generation != 0;
            self.generation = generation;
            self.cursor = None;
            self.relist =
                Some(if known { Relist::Generation } else { self.relist.unwrap_or(Relist::NoCursor) });
        }
        match (&self.cursor, self.relist) {
            (Some(_), None) => Ask::Probe,
            (None, None) => {
                self.relist = Some(Relist::NoCursor);
                self.first_page()
            }
            (_, Some(_)) => self.first_page(),
        }
    }

    fn probed(&mut self, version: &ResourceVersion, now: Duration) -> Ask {
        let Some(cursor) = self.cursor.clone() else { return Ask::Identify };
        match version.compare(&cursor) {
            Some(std::cmp::Ordering::Less) => {
                // Whatever generation comes of it, the cursor is of another one.
                self.cursor = None;
                let reason =
                    format!("its version was {cursor} and is {version}: it was restored from a backup");
                Ask::NewGeneration { reason }
            }
            Some(_) => self.open(cursor, now),
            None => {
                self.relist = Some(Relist::NoOrder);
                self.first_page()
            }
        }
    }

    fn open(&mut self, from: ResourceVersion, now: Duration) -> Ask {
        self.opened_at = now;
        Ask::Watch { from }
    }

    fn first_page(&mut self) -> Ask {
        self.unreadable = 0;
        Ask::List { next: None, limit: self.limit }
    }

    fn listed(&mut self, version: ResourceVersion, next: Option<String>, unreadable: u32) -> Ask {
        self.unreadable = self.unreadable.saturating_add(unreadable);
        if next.is_some() {
            return Ask::List { next, limit: self.limit };
        }
        self.watched_to = self.cursor.replace(version.clone());
        Ask::Commit { version, complete: self.unreadable == 0 }
    }

    fn committed(&mut self, now: Duration, chance: &mut Chance) -> Ask {
        self.back_off.reset();
        self.relist = None;
        self.recorded_at = now;
        self.relist_at = now + chance.around(RELIST_EVERY, RELIST_SPREAD);
        if self.unreadable == 0 {
            self.unreadable_pause.reset();
        } else {
            self.unreadable(now, chance);
        }
        match self.cursor.clone() {
            Some(from) => self.open(from, now),
            None => Ask::Identify,
        }
    }

    fn ended(&mut self, end: End, now: Duration, chance: &mut Chance) -> Ask {
        let good = now.saturating_sub(self.opened_at) >= GOOD;
        if good {
            self.back_off.reset();
        }
        match end {
            End::Closed if good => Ask::Identify,
            End::Closed => self.wait(Trouble::Unstable, None, chance),
            End::Idle | End::Broken => self.wait(Trouble::Unreachable, None, chance),
            End::Gone => {
                self.relist = Some(Relist::Expired);
                // A server that calls its own newest version too old would be listed in a circle.
                if good { Ask::Identify } else { self.wait(Trouble::Unstable, None, chance) }
            }
            End::Asked => {
                self.ask();
                Ask::Identify
            }
            End::Due => {
                self.relist = Some(if self.unreadable > 0 { Relist::Unreadable } else { Relist::Periodic });
                Ask::Identify
            }
        }
    }

    fn failed(&mut self, failure: Failure, chance: &mut Chance) -> Ask {
        match failure {
            Failure::Gone => {
                self.relist = Some(self.relist.unwrap_or(Relist::Expired));
                self.wait(Trouble::Unusable, None, chance)
            }
            Failure::Missing => {
                self.relist = Some(Relist::Missing);
                self.wait(Trouble::Missing, None, chance)
            }
            Failure::Denied => self.wait(Trouble::Denied, None, chance),
            Failure::Throttled(after) => self.wait(Trouble::Throttled, after, chance),
            Failure::TooLarge if self.limit > 1 => {
                self.limit = (self.limit / 4).max(1);
                self.first_page()
            }
            Failure::TooLarge | Failure::Unusable => self.wait(Trouble::Unusable, None, chance),
            Failure::Unreachable => self.wait(Trouble::Unreachable, None, chance),
        }
    }

    /// At least what the server wishes, within the longest pause.
    fn wait(&mut self, trouble: Trouble, wish: Option<Duration>, chance: &mut Chance) -> Ask {
        let pause = self.back_off.next(chance).max(wish.unwrap_or_default());
        let longest = if trouble == Trouble::Denied { DENIED_LONGEST } else { crate::MAX_BACK_OFF };
        Ask::Wait { pause: pause.min(longest), trouble }
    }
}
