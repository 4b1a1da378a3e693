//! `liqoctl`: Liqo from the command line.

use std::process::ExitCode;

use clap::Parser;
use liqo_ctl::{Arguments, Console, report, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nothing can be done when even that cannot be written.
            let _ = usage.print();
            // Scripts know two codes only, as those of Liqo 0.8.3: done and not done.
            return if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(arguments, &mut Console::standard()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liqoctl: {}", report(&error));
            ExitCode::FAILURE
        }
    }
}
