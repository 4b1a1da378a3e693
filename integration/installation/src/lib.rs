//! Liqo as a user installs it: images of the programs, the manifests in `deploy/`, and a ConfigMap with what differs from
//! cluster to cluster.
//!
//! [`install`] does with a cluster of the testbed what the quickstart does by hand, for tests. The program `liqo-images` of
//! this crate writes the images for both.

mod administrator;
mod error;
mod image;
mod install;
mod strip;

pub use administrator::Administrator;
pub use error::{Error, Result};
pub use image::{Image, Outcome};
pub use install::{NAMESPACE, WORKLOADS, apply, install, programs};
