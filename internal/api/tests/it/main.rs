//! The definitions against what Liqo 0.8.3 serves and against `deploy/crds`; objects as Liqo 0.8.3 writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod compatibility;
mod facts;
mod files;
mod objects;
