//! The verbs of `liqoctl` against an API server of a few lines that keeps objects and plays the control plane.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bad_input;
mod completion;
mod connection;
mod fake_cluster;
mod generate;
mod golden;
mod objects;
mod offload;
mod peer;
mod plans;
mod reset;
mod status;
mod unpeer;
mod usage;
