//! The moments of a life, and a death at one of them.

use crate::invariants::Checked;
use crate::process::{Actor, ProcessId};
use crate::world::World;

/// Who dies at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The process whose moment it is.
    Own,
    /// Those of the other clusters.
    Others,
    /// All of them.
    All,
}

impl Whose {
    const ALL: [(&str, Self); 3] = [("own", Self::Own), ("others", Self::Others), ("all", Self::All)];

    /// How it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// What a name stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, whose)| *whose)
    }
}

/// What is lost by a death, beside what was in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing: the container is started again at once and goes on from its log.
    Nothing,
    /// The lease: it is away for longer than that lasts.
    Lease,
    /// The log.
    Volume,
}

impl Lost {
    const ALL: [(&str, Self); 3] =
        [("nothing", Self::Nothing), ("lease", Self::Lease), ("volume", Self::Volume)];

    /// How it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// What a name stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, lost)| *lost)
    }
}

/// A death at one moment of the life of a peering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The moment, counted from the introduction.
    pub at: usize,
    /// Who dies.
    pub whose: Whose,
    /// What is lost.
    pub lost: Lost,
}

/// Moments that have passed.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    /// Whether they count: not before the clusters are introduced to each other.
    pub(crate) counted: bool,
    passed: Vec<String>,
    doomed: Vec<ProcessId>,
}

impl Moments {
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.passed)
    }
}

impl World {
    /// A moment in the life of a peering; whether the process dies at it, and does nothing any more.
    pub(crate) fn pass(&mut self, actor: Actor, what: impl FnOnce() -> String) -> bool {
        let Some(peering) = self.settings.peering.filter(|_| self.moments.counted) else { return false };
        let index = self.moments.passed.len();
        let what = format!("{}: {}", actor.process, what());
        if let Some(crash) = peering.crash.filter(|crash| crash.at == index) {
            self.note(|| format!("moment {index} is the last of {:?}: {what}", crash.whose));
            let own = |id: &ProcessId| id.cluster == actor.process.cluster;
            let dies = |id: &ProcessId| match crash.whose {
                Whose::Own => own(id),
                Whose::Others => !own(id),
                Whose::All => true,
            };
            self.moments.doomed = self.ids().into_iter().filter(dies).collect();
        }
        self.moments.passed.push(what);
        self.moments.doomed.contains(&actor.process)
    }

    /// Who was doomed in this step dies before the next one.
    pub(crate) fn kill_doomed(&mut self) -> Checked {
        for id in std::mem::take(&mut self.moments.doomed) {
            let lost = self.settings.peering.and_then(|peering| peering.crash).map(|crash| crash.lost);
            let away = if lost == Some(Lost::Lease) { (16_000, 20_000) } else { (50, 2_000) };
            self.kill(id, away)?;
            if lost == Some(Lost::Volume) {
                self.process(id).disk.wipe();
            }
        }
        Ok(())
    }
}
