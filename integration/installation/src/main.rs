//! `liqo-images`: writes the images of Liqo's programs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use liqo_installation::{Image, Outcome, Result, programs};

/// Writes an image archive of each of Liqo's programs, for `testbed load` or any container runtime.
#[derive(Debug, Parser)]
struct Flags {
    /// Directory with the programs; that of this program when not given
    #[arg(long, value_name = "DIRECTORY")]
    programs: Option<PathBuf>,
    /// Directory for the archives
    #[arg(long, value_name = "DIRECTORY", default_value = "target/images")]
    into: PathBuf,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            eprintln!("error: {error}{}", source.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> Result<()> {
    let programs = flags.programs.unwrap_or_else(programs);
    for image in Image::ALL {
        let archive = flags.into.join(image.archive());
        match image.make(&programs, &flags.into)? {
            Outcome::Written => println!("{}: {}", image.name(), archive.display()),
            Outcome::Current => println!("{}: {} is current", image.name(), archive.display()),
            Outcome::Absent(program) => {
                println!("{}: skipped, there is no {}", image.name(), program.display());
            }
        }
    }
    Ok(())
}
