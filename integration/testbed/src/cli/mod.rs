//! The command line: arguments in, calls of the library, results out.

mod arguments;
mod run;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;
use liqo_testbed::Error;

use arguments::{Arguments, Verb};

/// Runs the command. Every failure is one line on standard error and exit code 1; `exec` passes the command's own code on.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report(&error),
    };
    match dispatch(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("testbed: {}", error.line());
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<ExitCode, Error> {
    // The supervisor changes the namespaces of its process, so it must not have any other thread yet.
    if let Verb::Supervise { node } = &arguments.verb {
        liqo_testbed::supervise(node)?;
        return Ok(ExitCode::FAILURE);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Error::File { action: "start", path: "tokio".into(), source })?;
    runtime.block_on(run::run(arguments))
}
