//! The rules, one file each. `tests/repository.rs` runs every one of them on the real tree.

pub mod architecture_length;
pub mod arrows;
pub mod file_budget;
pub mod function_budget;
pub mod leftovers;
pub mod links;
pub mod machine_paths;
pub mod manifests;
pub mod module_docs;
pub mod module_names;
pub mod orphans;
pub mod parses;
pub mod pure_core;
pub mod registries;
pub mod sleeps;
pub mod thin_commands;
pub mod top_level;
pub mod unsafe_code;
pub mod white_space;
