//! Identifiers and custom-resource types of Liqo as plain values.
//!
//! Nothing here does input or output, and nothing here decides. Everything above uses these names, so a cluster ID can
//! never be passed where a cluster name is wanted.

pub mod crd;

mod identifier;
mod kind;
mod names;
mod object;
mod validation;

pub use identifier::{ClusterId, ClusterName, NamespaceName, ResourceVersion, Uid};
pub use kind::Kind;
pub use names::{remote_namespace_name, tenant_namespace_name, unique_name, virtual_node_name};
pub use object::{ClusterRef, ObjectKey};
pub use validation::{InvalidName, check_dns_label};
