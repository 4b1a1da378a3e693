//! The kinds, one file each.

pub mod config_map;
pub mod endpoint_slice;
pub mod node;
pub mod pod;
pub mod pod_status;
pub mod secret;
pub mod service;
pub mod shadow_endpoint_slice;
pub mod shadow_pod;
