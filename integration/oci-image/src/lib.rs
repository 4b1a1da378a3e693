//! Writes OCI image archives from files of the machine, without a container engine.
//!
//! An [`Image`] collects entries of a root file system and the settings of its process. [`Image::write`] streams
//! both into one tar file that `ctr -n k8s.io images import FILE` accepts. The same input gives the same bytes
//! and the same digest: entries are sorted, every time stamp is the epoch, owners and modes are explicit.
//!
//! The layer is a plain tar. Archives are read by a container runtime on the same machine, which unpacks a plain
//! layer several times faster than a compressed one, and its digest depends on no compressor's version.

mod archive;
mod config;
mod destination;
mod digest;
mod elf;
mod entry;
mod error;
mod host_path;
mod image;
mod layer;
mod layout;
mod program;
mod reference;
mod search_path;
mod settings;

pub use config::Protocol;
pub use digest::Digest;
pub use entry::Owner;
pub use error::{Error, Result};
pub use image::Image;
