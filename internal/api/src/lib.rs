//! The custom resources of Liqo as Kubernetes objects, their definitions, and the keys and names around them.
//!
//! A field is added in `liqo_model::crd`; `make generate` refreshes the files in `deploy/crds` from there. What is said
//! here of a kind is what no field says: columns, short names, categories, subresources.

pub mod annotations;
pub mod crd;
pub mod finalizers;
pub mod labels;
pub mod names;

mod description;
mod error;
mod kinds;

pub use description::{Column, KindDescription};
pub use error::Error;
pub use kinds::discovery::{ForeignCluster, ResourceRequest};
pub use kinds::net::{IpamStorage, NatMapping, NetworkConfig, TunnelEndpoint};
pub use kinds::offloading::NamespaceOffloading;
pub use kinds::sharing::ResourceOffer;
pub use kinds::virtualkubelet::{NamespaceMap, ShadowEndpointSlice, ShadowPod};
pub use kinds::{Described, KINDS, api_resource, description};
