//! The allocator of every program that runs an engine.
//!
//! An event is made on one thread, becomes part of the state on another, and is freed there when the next one replaces it,
//! a dozen small texts at a time. The allocator of a static C library keeps memory for each thread and gives next to none of
//! it back, and it is slow at exactly this: a replay took half as long again. `.cargo/config.toml` configures this one.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
