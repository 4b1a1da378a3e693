//! What a process says of its log on its own pod: a condition while it lasts, and Events when it changes.
//!
//! The pod is the one object that every process has and that its people look at. The condition outlives the container:
//! what an earlier one of the same pod left there is taken back by the next one whose log is well.

mod condition;
mod event;
mod report;

#[cfg(test)]
mod tests;

pub use report::OwnPod;
