//! Commands carried out as writes to API servers.
//!
//! Each effect has a file with a pure function that says, from the object as it is, what is to be done: one [`Step`].
//! [`Writer`] reads the object (from the cache of recent events, else from the API server), does the step under the
//! condition that the object is still the one that the step was made for, and begins again with a fresh reading when it
//! is not. Only owned fields are written, as merge patches, so what others wrote stays, fields unknown here included.
//! Before something is taken away the cluster itself is looked at once more: see `last_look.rs`.

mod approval;
mod content;
mod effect;
mod finalizer;
mod foreign_cluster;
pub(crate) mod forged;
mod identity;
mod labels;
mod last_look;
mod materialize;
mod merge;
mod namespace_map;
mod offloading_status;
mod outcome;
mod owner;
mod put;
mod put_status;
mod replicate;
mod settings;
mod source;
mod status_conditions;
mod step;
mod tenant_namespace;
mod with;
mod writer;

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod final_tests;
#[cfg(test)]
mod put_tests;
#[cfg(test)]
mod tests;

pub(crate) use last_look::LastLook;
pub use settings::{VirtualKubeletSettings, WriterSettings};
pub(crate) use step::Step;
pub use with::WriterWith;
pub use writer::Writer;
