//! One node: its plan, its supervisor, its view of the machine.

pub(crate) mod cgroup;
mod client;
pub(crate) mod filesystem;
pub(crate) mod plan;
pub(crate) mod process;
mod protocol;
mod supervision;
mod supervisor;

pub(crate) use client::NodeClient;
pub(crate) use plan::{Component, NodePlan};
pub(crate) use process::NodeProcess;
pub use protocol::{ComponentState, ComponentStatus, Verb};
pub use supervisor::supervise;
