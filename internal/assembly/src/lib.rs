//! Adapters put together: the ports of one, carried out with another. Binaries parse flags and start what is here.
//!
//! | part | port of | carried out with |
//! |---|---|---|
//! | [`enrolment`] | `identity`: what a provider needs of its cluster; `kube-io`: how an identity is asked for | the API server |
//! | [`webhooks`] | `admission`: verdicts and certificates | the engine's state, the API server |
//! | [`virtual_node`] | `kubelet`: where pods are, who is reached | the engine's state, the API servers |
//!
//! [`ControlPlane`] and [`VirtualKubelet`] are the processes that all of it makes.

mod client_authority;
mod control_plane;
mod ending;
pub mod enrolment;
mod fabric;
pub mod own_cluster;
mod services;
mod sharing;
#[cfg(test)]
mod tests;
mod virtual_kubelet;
pub mod virtual_node;
pub mod webhooks;

pub use control_plane::ControlPlane;
pub use services::Failure;
pub use sharing::{OfferLimit, ResourceSharing};
pub use virtual_kubelet::VirtualKubelet;
