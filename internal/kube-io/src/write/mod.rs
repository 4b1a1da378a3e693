//! Commands carried out as writes to API servers.
//!
//! Each effect has a file with a pure function that says, from the object as it is, what is to be done: one [`Step`].
//! [`Writer`] reads the object (from the cache of recent events, else from the API server), does the step under the
//! condition that the object is still the one that the step was made for, and begins again with a fresh reading when it
//! is not. Only owned fields are written, as merge patches, so what others wrote stays, fields unknown here included.

mod effect;
mod finalizer;
mod foreign_cluster;
mod identity;
mod labels;
mod merge;
mod namespace_map;
mod offloading_status;
mod outcome;
mod status_conditions;
mod step;
mod tenant_namespace;
mod writer;

#[cfg(test)]
mod tests;

pub use writer::Writer;
