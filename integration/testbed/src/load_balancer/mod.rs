//! The load balancer of one cluster: gives each Service of type LoadBalancer an address of the cluster's pool and routes
//! that address to a ready node, where kube-proxy takes over.
//!
//! It runs as a component of the control plane, as a cloud's controller would, and holds no state: what it gave away is
//! in the status of the Services.

mod plan;
mod run;

use std::path::PathBuf;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

pub use run::run;

/// What the load balancer needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Config {
    /// How to reach the API server.
    pub kubeconfig: PathBuf,
    /// The addresses to give away.
    pub pool: Ipv4Net,
    /// The network namespace that routes the pool.
    pub network: PathBuf,
}
