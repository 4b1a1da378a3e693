//! What every server of a process does before its protocol begins: a port that is taken early and listened on late,
//! connections with a bound in number, and an end at which those under way may finish.
//!
//! ```text
//!  Socket::bind ─► taken, callers are refused ─► listen ─► Listening ─► serve ─► one task a connection, with its place
//!                                                                       stop ─► no new ones, Ending::told, grace, end
//! ```
//!
//! Servers whose library accepts by itself take [`Listening::accept`] and [`Places`] instead of [`Listening::serve`].

mod counted;
mod places;
mod serve;
mod socket;

pub use counted::Counted;
pub use places::{Place, Places};
pub use serve::{Bounds, Ending};
pub use socket::{ListenError, Listening, Socket};
