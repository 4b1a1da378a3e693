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
pub use down::down;
pub use load::load;
pub use lock::Lock;
pub(crate) use remains::power_off;
pub use status::{ClusterStatus, NodeStatus, Status, status};
pub use up::up;
pub(crate) use up::{ensure_node, start};
