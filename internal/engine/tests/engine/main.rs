//! The engine with a small machine, a log whose failures are chosen, an actuator that answers what it is told, and a
//! clock that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod acting;
mod degraded;
mod disk;
#[path = "../../../../state/domain/tests/writer/namespaces.rs"]
mod namespaces;
mod restarts;
mod views;
mod world;
mod writing;
