//! What becomes of objects in the other cluster: recorded pairs, a table for each rule, properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod endpoints;
mod golden;
mod node;
mod plain;
mod pods;
mod properties;
mod provider;
mod rejection;
mod status;
mod tree;
mod world;
