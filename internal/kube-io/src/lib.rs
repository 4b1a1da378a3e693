//! Observations from Kubernetes API servers, and writes to them.
//!
//! Each API server has a client with limits of its own ([`ApiServer`]), so a peer that is slow or gone delays nobody
//! else. A watch ([`watch::Watch`]) turns what one says of a kind into events: it resumes from a cursor, finds out when
//! the cluster is not the one that it was, lists anew when it must, and hands over projections ([`project`]) and keyed
//! digests ([`DigestKey`]), never bodies. Bodies of recent events stay in a bounded cache ([`BodyCache`]) for the
//! actuator ([`write::Writer`]), which carries commands out as patches of owned fields. [`lease`] says who may act.
//!
//! Decisions are pure and tested as tables (`watch/plan.rs`, `lease/plan.rs`, `write/<effect>.rs`, `project/<kind>.rs`);
//! what waits for a network is thin.

pub mod lease;
pub mod project;
pub mod watch;
pub mod write;

mod back_off;
mod cache;
mod chance;
mod client;
mod digest;
mod error;
mod keys;
mod links;
mod local;
mod log_key;
mod metrics;
mod mirror;
mod object;
mod own_pod;
mod reflect;
mod reflecting;
mod secret;
mod series;
mod session;
mod sink;
mod token;

#[cfg(test)]
mod fake_server;

pub use back_off::{BackOff, MAX_BACK_OFF};
pub use cache::{BodyCache, CachedBody, DEFAULT_CACHE_BYTES};
pub use chance::Chance;
pub use client::{ApiServer, ApiServers, Limits, Refusal};
pub use digest::DigestKey;
pub use error::Error;
pub use local::{Attached, Claim, Local, Role, started};
pub use log_key::{digest_key, random_bytes};
pub use metrics::Metrics;
pub use object::{RawObject, Unreadable};
pub use own_pod::OwnPod;
pub use reflect::Reflections;
pub use reflecting::{Prefixes, Reflecting};
pub use secret::{SecretData, keep_secret, publish_config, read_secret, secret_or_create};
pub use session::{Session, control_plane_targets};
pub use sink::{Gone, Sink};
pub use token::{TokenOwner, review_token};
