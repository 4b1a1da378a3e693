//! The rules of this repository that no compiler checks, each a pure function from a [`Picture`] of the tree to what
//! breaks it.
//!
//! [`disk::read`] takes the picture once: every file that git tracks or would track, and the crates of the workspace
//! with their dependencies. `tests/repository.rs` runs each rule of [`rules`] on the real tree, so a rule is broken
//! when `cargo test -p liqo-tidy` fails, and the failure says where and what to do about it.
//!
//! To add a rule: one file in `src/rules/` with a `check` function, a good and a bad example beside it, one line in
//! [`rules`], one test in `tests/repository.rs`.

pub mod arrow_table;
mod cargo;
pub mod disk;
mod module_tree;
mod picture;
pub mod rules;
mod syntax;
mod tokens;
mod violation;

pub use picture::{Dependency, File, Member, Picture, Target};
pub use violation::{Rule, Violation, report};
