//! Images as a container runtime sees them: the archive's documents, its digests, and programs that run in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step of a test may panic, in its own functions too"
)]

mod bad_input;
mod documents;
mod order;
mod programs;
mod reproducible;
mod unpacked;
