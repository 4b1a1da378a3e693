//! `liqo-runner` runs the test tiers, least powerful first, and holds each to its time budget.
//!
//! It compiles everything once, runs one `cargo test` a tier (and one more for the doc tests), shows what they
//! print as they print it, and ends with a table and a line of totals. It starts no cluster and takes none down.

mod arguments;
mod budget;
mod error;
mod invocation;
mod process;
mod report;
mod session;
mod tally;
mod targets;
mod tier;
mod verdict;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::error::RunnerError;

/// What shells and `make` take for "ended by Ctrl-C".
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match session::run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(RunnerError::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            eprintln!("error: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}
