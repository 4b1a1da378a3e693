//! Clusters come up, go down, and tell how they are.

mod boot;
mod down;
mod load;
mod lock;
mod remains;
mod status;
mod template;
mod up;

pub(crate) use boot::Starter;
pub(crate) use down::down;
pub(crate) use load::load;
pub(crate) use lock::Lock;
pub(crate) use remains::power_off;
pub(crate) use status::status;
pub use status::{ClusterStatus, NodeStatus, Status};
pub(crate) use up::up;
pub(crate) use up::{ensure_node, start};
