//! What the test of a peering's life is made of: a user of two clusters, and what that user looks at.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

pub(crate) mod expected;
pub(crate) mod faults;
pub(crate) mod inventory;
pub(crate) mod rights;
pub(crate) mod secrecy;
pub(crate) mod user;
pub(crate) mod workload;
