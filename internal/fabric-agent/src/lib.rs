//! The data path and the control plane brought together: what an agent is told becomes what it does, and what it sees is
//! told.

mod desires;
mod reports;

pub use desires::follow;
pub use reports::tell;
