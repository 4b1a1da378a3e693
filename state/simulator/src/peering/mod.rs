//! The life of a peering: clusters that act on each other's API servers, from the first wish to the last trace.
//!
//! ```text
//!  introduced ─► identity ─► request ─► offer ─► virtual kubelet, node, network ─► rest
//!  taken back ─► offer withdrawn ─► node drained and gone ─► request gone ─► rest ─► forgotten ─► rest
//! ```
//!
//! A life without faults passes moments: before and after each command leaves, when its request is carried out, when its
//! outcome is known and when events are being written. The same seed gives the same moments again, so that a process can
//! die at each of them ([`Crash`]); whatever dies, the life has to come to the same rests.

mod checks;
mod life;
mod moments;
mod surroundings;
mod users;

pub use life::{Life, live};
pub(crate) use moments::Moments;
pub use moments::{Crash, Lost, Whose};
pub(crate) use surroundings::surround;

/// What peering is lived through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peering {
    /// Whether every cluster uses every other one; otherwise the first one uses the others.
    pub both: bool,
    /// Whether the network between them is Liqo's.
    pub network: bool,
    /// A process that dies at one moment of it.
    pub crash: Option<Crash>,
}

impl Peering {
    /// What makes another run of the example equal to this one.
    pub fn options(&self) -> String {
        let mut options = " --peering".to_owned();
        options.push_str(if self.both { " --both" } else { "" });
        options.push_str(if self.network { " --network" } else { "" });
        if let Some(Crash { at, whose, lost }) = self.crash {
            options.push_str(&format!(" --dies-at {at} --dies {} --loses {}", whose.name(), lost.name()));
        }
        options
    }
}
