//! What a run is like.

use std::collections::BTreeSet;

use crate::chance::Chance;
use crate::peering::Peering;

/// What may go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Processes die, between any two stages of a command's life.
    Crash,
    /// Processes stand still while the world goes on.
    Pause,
    /// Volumes are lost.
    Wipe,
    /// Volumes refuse to write, or take seconds.
    Disk,
    /// API servers are away.
    Down,
    /// API servers answer 429 and 5xx, or not at all although they did what was asked.
    Errors,
    /// Watches break, are delayed, lose events, repeat them, go back in time, and become too old.
    Watch,
    /// Clusters are restored from backups.
    Restore,
    /// Clusters are built anew.
    Rebuild,
    /// Wall clocks jump.
    Clock,
}

impl Fault {
    /// Every kind of fault, by its name.
    pub const ALL: [(&str, Self); 10] = [
        ("crash", Self::Crash),
        ("pause", Self::Pause),
        ("wipe", Self::Wipe),
        ("disk", Self::Disk),
        ("down", Self::Down),
        ("errors", Self::Errors),
        ("watch", Self::Watch),
        ("restore", Self::Restore),
        ("rebuild", Self::Rebuild),
        ("clock", Self::Clock),
    ];

    /// The fault of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }
}

/// A fault built into the model of the process, to see that the checks would find it in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Commands leave before the batch that they are in is durable.
    DispatchBeforeCommit,
    /// After a gap in a watch everything counts as deleted until it is seen again.
    GapIsDeletion,
    /// A start does not see the last event of the log.
    SequenceReused,
    /// A lost lease is not noticed.
    FollowerActs,
    /// The lease is looked at when a command begins, and not before each of its requests.
    GuardOnlyAtTheBeginning,
    /// A restored cluster is taken for the one that it was.
    RestoreUnnoticed,
    /// A log that refused to write is opened again as if nothing were missing from it.
    AbandonedLogReopened,
    /// That nothing is to be done is believed from a cached body.
    CacheTrusted,
    /// A container that is started again goes on although its log is of an earlier epoch.
    AnyEpochContinued,
    /// A lease is free when it is old by the wall clock.
    LeaseJudgedByTheClock,
    /// Versions are not compared with what was seen before: only the uid of a cluster and its lease tell of a restore.
    VersionsNotCompared,
    /// After a start a restore is told by the recorded cursors alone, and not by everything that the log has seen.
    CursorsAlone,
    /// A term goes on in a generation that it was not gained in.
    TermOutlivesGeneration,
    /// Something is taken away without a look at whether the cluster is still the one that wanted it.
    TakenWithoutALook,
}

impl Planted {
    /// Every planted fault, by its name.
    pub const ALL: [(&str, Self); 14] = [
        ("dispatch-before-commit", Self::DispatchBeforeCommit),
        ("gap-is-deletion", Self::GapIsDeletion),
        ("sequence-reused", Self::SequenceReused),
        ("follower-acts", Self::FollowerActs),
        ("guard-only-at-the-beginning", Self::GuardOnlyAtTheBeginning),
        ("restore-unnoticed", Self::RestoreUnnoticed),
        ("abandoned-log-reopened", Self::AbandonedLogReopened),
        ("cache-trusted", Self::CacheTrusted),
        ("any-epoch-continued", Self::AnyEpochContinued),
        ("lease-judged-by-the-clock", Self::LeaseJudgedByTheClock),
        ("versions-not-compared", Self::VersionsNotCompared),
        ("cursors-alone", Self::CursorsAlone),
        ("term-outlives-generation", Self::TermOutlivesGeneration),
        ("taken-without-a-look", Self::TakenWithoutALook),
    ];

    /// The planted fault of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, planted)| *planted)
    }
}

/// What a run is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many clusters there are, at most 4.
    pub clusters: usize,
    /// Steps before faults and users stop.
    pub steps: u64,
    /// What may go wrong.
    pub faults: BTreeSet<Fault>,
    /// A fault in the model of the process.
    pub planted: Option<Planted>,
    /// The peering that is lived through with [`crate::live`].
    pub peering: Option<Peering>,
    /// Whether every step is written down.
    pub trace: bool,
}

impl Settings {
    /// Conditions that a seed picks for itself. With all faults at once each hides what others would show, and most runs
    /// never get far; with some of them runs differ much more from each other.
    pub fn varied(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x76_6172_6965_6421);
        let clusters = [1, 2, 2, 2, 2, 2, 3, 3, 3, 4][chance.index(10)];
        let steps = chance.between(300, 2_500);
        let faults = Fault::ALL.into_iter().filter(|_| chance.one_in(2)).map(|(_, fault)| fault).collect();
        Self { clusters, steps, faults, ..Self::default() }
    }
}

impl Default for Settings {
    /// A short run with everything that can go wrong.
    fn default() -> Self {
        Self {
            clusters: 2,
            steps: 600,
            faults: Fault::ALL.iter().map(|(_, fault)| *fault).collect(),
            planted: None,
            peering: None,
            trace: false,
        }
    }
}
