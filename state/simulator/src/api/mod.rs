//! A model of an API server: what controllers rely on, and what they must not.
//!
//! One counter of versions a cluster, generations that count changes of the spec alone, finalizers, namespaces that take
//! their content along, preconditions, watches with a history that is compacted, backups that take versions back.

mod backup;
mod exchanged;
mod history;
mod object;
mod server;
mod sweep;

pub(crate) use backup::Backup;
pub(crate) use exchanged::NODE;
pub(crate) use history::Change;
pub(crate) use object::{Stored, version};
pub(crate) use server::{ApiServer, LeaseRecord, New, Refusal};
