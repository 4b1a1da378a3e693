//! `liqoctl`: Liqo from the command line.

use std::process::ExitCode;

use clap::Parser;
use liqo_ctl::{Arguments, Console, report, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse(), &mut Console::standard()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liqoctl: {}", report(&error));
            ExitCode::FAILURE
        }
    }
}
