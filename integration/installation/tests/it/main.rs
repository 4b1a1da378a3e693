//! The manifests in `deploy/` hold together, and ask for no more than they need.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod objects;
mod rights;
mod workloads;
