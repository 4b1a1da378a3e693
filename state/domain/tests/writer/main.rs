//! The writer with a small machine: what it appends, when commands leave, what a restart finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bounds;
mod deadlines;
mod desk;
mod effects;
mod floods;
mod leadership;
mod namespaces;
mod replays;
