//! `liqoctl completion`: a script by which a shell completes commands, flags, and names of what is in the cluster.
//!
//! The scripts of bash, zsh and fish ask this program each time, by a command that is not shown: `liqoctl __complete -- WORD...`,
//! where the last word is the one that is typed at. It answers with a candidate a line, a tab and an explanation behind it, or
//! with `:files` where the shell completes files.

mod candidates;
mod names;
mod place;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Arguments, Console, CtlError};
use candidates::{Candidate, Wanted};
use place::place;

/// Print the completion script of a shell.
#[derive(Clone, Debug, Args)]
pub struct CompletionArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Answer a completion script.
#[derive(Clone, Debug, Args)]
pub struct CompleteArguments {
    /// What is typed behind the program's name
    #[arg(last = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

pub(crate) fn run(arguments: &CompletionArguments, console: &mut Console) -> Result<(), CtlError> {
    match arguments.shell {
        Shell::Bash => console.write(include_str!("completion/liqoctl.bash")),
        Shell::Zsh => console.write(include_str!("completion/liqoctl.zsh")),
        Shell::Fish => console.write(include_str!("completion/liqoctl.fish")),
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut Arguments::command(), "liqoctl", &mut script);
            console.write(&String::from_utf8_lossy(&script))
        }
    }
}

/// Writes the candidates for what is typed. There is nobody to tell an error to.
pub(crate) async fn complete(arguments: &CompleteArguments, console: &mut Console) -> Result<(), CtlError> {
    let mut root = Arguments::command();
    root.build();
    let place = place(&root, &arguments.words);
    let mut found = candidates::listed(&place);
    match candidates::wanted(&place) {
        Some(Wanted::Files) => return console.write(":files\n"),
        Some(wanted) => {
            let names = names::of(wanted, &arguments.words).await.into_iter();
            let new = names.filter(|name| !place.given.contains(name));
            found.extend(new.map(|name| Candidate::new(name, "")));
        }
        None => {}
    }
    found.retain(|candidate| candidate.text.starts_with(&place.typed));
    let lines = found.iter().map(|candidate| candidate.line(&place.before));
    console.write(&lines.collect::<String>())
}
