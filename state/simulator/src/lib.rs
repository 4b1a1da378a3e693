//! A deterministic world of clusters and faults around the real writer and machine.
//!
//! One seed is one history: model API servers, processes that run the writer of the program on a model of a disk, users,
//! and everything that can go wrong, all driven by one generator on virtual time. Promises are checked after every step
//! ([`Violation::invariant`] names the one that was broken). At the end faults stop, and the world must come to what a
//! world without faults comes to.
//!
//! ```
//! let report = liqo_simulator::run(7, &liqo_simulator::Settings { steps: 100, ..Default::default() });
//! assert_eq!(report.violation, None);
//! ```

mod agents;
mod api;
mod chance;
mod evidence;
mod faults;
mod invariants;
mod peering;
mod process;
mod queue;
mod run;
mod settings;
mod settle;
mod trace;
mod twin;
mod user;
mod weather;
mod world;

pub use evidence::{Evidence, keep};
pub use peering::{Crash, Life, Lost, Peering, Whose, live};
pub use run::{Report, Violation, run, search};
pub use settings::{Fault, Planted, Settings};
