//! The fabric.
fn main() {}
