//! `liqoctl completion`: a script by which a shell completes commands and flags.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Arguments, Console, CtlError};

/// Print the completion script of a shell.
#[derive(Clone, Debug, Args)]
pub struct CompletionArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &CompletionArguments, console: &mut Console) -> Result<(), CtlError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "liqoctl", &mut script);
    console.write(&String::from_utf8_lossy(&script))
}
