//! Whether this process may decide and act.

use liqo_events::Seq;

/// The role of the process. It follows from what the lease says now, never from a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leadership {
    /// Another process leads, or none. Observations are recorded, nothing is decided.
    #[default]
    Follower,
    /// The lease is held, but not everything has been seen yet.
    Leader {
        /// The epoch of the lease.
        epoch: u64,
        /// The event that said so.
        since: Seq,
    },
    /// The lease is held and everything has been seen: this process decides and acts.
    Live {
        /// The epoch of the lease.
        epoch: u64,
        /// The event that gave the lease.
        since: Seq,
    },
}

impl Leadership {
    /// The epoch of the lease that is held.
    pub fn epoch(self) -> Option<u64> {
        match self {
            Self::Follower => None,
            Self::Leader { epoch, .. } | Self::Live { epoch, .. } => Some(epoch),
        }
    }

    /// Whether the lease is held.
    pub fn is_leader(self) -> bool {
        self != Self::Follower
    }

    /// Whether this process decides and acts.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Goes live in an epoch; gives the event that began it, or nothing when the epoch is not the present one or this
    /// process is live already.
    pub(super) fn go_live(&mut self, wanted: u64) -> Option<Seq> {
        match *self {
            Self::Leader { epoch, since } if epoch == wanted => {
                *self = Self::Live { epoch, since };
                Some(since)
            }
            Self::Leader { .. } | Self::Live { .. } | Self::Follower => None,
        }
    }

    /// Loses the lease of an epoch. Word of an older epoch comes late and says nothing.
    pub(super) fn lose(&mut self, lost: u64) {
        if self.epoch().is_some_and(|epoch| epoch <= lost) {
            *self = Self::Follower;
        }
    }
}
