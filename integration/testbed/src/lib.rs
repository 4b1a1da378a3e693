//! Real multi-node Kubernetes clusters on a bare machine, in seconds: no docker, no virtual machines, no internet.
//!
//! A node is a set of Linux namespaces with its own containerd, kubelet and kube-proxy; a cluster is a few of them on a
//! switch. See `ARCHITECTURE.md`, section *Testbed*, for the picture, and [`Testbed`] for what tests use.

mod command;
mod component;
mod control_plane;
mod error;
mod exec;
mod fault;
mod image;
mod kubernetes;
mod layout;
mod lifecycle;
mod load_balancer;
mod model;
mod network;
mod node;
mod preflight;
mod programs;
mod progress;
mod testbed;

pub use error::{Error, Result};
pub use exec::Output;
pub use layout::Layout;
pub use lifecycle::{ClusterStatus, NodeStatus, Status};
pub use model::{
    ClusterName, ClusterSpec, ComponentFlag, DEFAULT_POD_CIDR, DEFAULT_SERVICE_CIDR, NodeName, parse_cidr,
};
pub use network::Cut;
pub use node::{ComponentState, ComponentStatus, Verb, supervise};
pub use progress::Progress;
pub use testbed::Testbed;

pub use image::{Error as ImageError, TOOLBOX_IMAGE, TOOLBOX_PORT};
pub use load_balancer::run as run_load_balancer;
