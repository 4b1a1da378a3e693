//! The loop around the pure machine: one writer task a process, its log, and what it gives to do.
//!
//! ```text
//!  Inbox ─► writer task ─► batch ─► log ─► durable ─┬─► senders are told
//!             ▲   ▲                                 ├─► Handle::read, subscribe, tail
//!   deadlines ┘   └─ outcomes ◄── Actuator::act ◄───┘   only if leader, live, and the lease is valid
//! ```
//!
//! What happens to an event is [`liqo_domain::Writer`], which waits for nothing; here is what waits: for senders, the
//! disk, actuators and clocks. **Nothing but the writer task appends.** No effect leaves before the events that justify
//! it are durable, or the process is degraded and says so.

mod allocator;
mod clocks;
mod engine;
mod error;
mod handle;
mod inbox;
mod journal;
mod metrics;
mod outbox;
mod port;
mod recovery;
mod source;
mod writer_task;

pub use engine::{Engine, Options, Running};
pub use error::{EngineError, EngineStopped};
pub use handle::{Degradation, Handle, LogStanding, Published};
pub use inbox::{INBOX, Inbox};
pub use liqo_domain::{Disposition, Input, Outcome};
pub use metrics::Metrics;
pub use port::{Actuator, Authority, Clock, SystemClock};
pub use recovery::Recovery;
pub use source::{LogSource, LogVolume, OpenedLog};
