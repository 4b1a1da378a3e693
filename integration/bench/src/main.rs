//! Benchmarks of the control plane. Every figure is a line of JSON on standard output; `liqo-bench table` makes a table
//! of them. Counts, bytes and processor time can be trusted on a machine that does other things as well; seconds less.

mod api;
mod child;
mod disk;
mod flood;
mod fold;
mod journal;
mod peers;
mod process;
mod restart;
mod row;
mod serve;
mod world;

use std::error::Error;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

/// A measurement ends where it cannot measure; what went wrong is a text for people.
type Failure = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug, Parser)]
#[command(version, about = "Measures the control plane")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replay: decode, checksum and fold, from memory and from a log on disk.
    Fold,
    /// Restart of an engine that knows 50 000 objects, without an API server.
    Restart,
    /// Updates of one object, too many.
    Flood,
    /// Disk that a log takes after several windows of churn.
    Disk,
    /// A change of the status of one peer of few, and of one of many.
    Peers,
    /// Everything that needs an API server with the custom resources and the namespace `liqo`.
    Api {
        #[arg(long)]
        kubeconfig: PathBuf,
        #[arg(long, default_value_t = 10_000)]
        pods: u32,
    },
    /// Makes a table of lines of figures from standard input.
    Table,
    /// Writes a log; called by the others.
    #[command(hide = true)]
    Journal(journal::Arguments),
    /// Measures one number of peers; called by `peers`.
    #[command(hide = true)]
    OfPeers { count: u32 },
    /// Runs an engine, and kube-io when there is an API server; called by the others.
    #[command(hide = true)]
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let began = Instant::now();
    let done = match Arguments::parse().command {
        Command::Fold => fold::run(),
        Command::Restart => restart::run(),
        Command::Flood => flood::run(),
        Command::Disk => disk::run(),
        Command::Peers => peers::run(),
        Command::OfPeers { count } => peers::measure(count.max(1)),
        Command::Api { kubeconfig, pods } => api::run(&kubeconfig, pods),
        Command::Table => table(),
        Command::Journal(arguments) => journal::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments, began),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: bench: {error}");
    ExitCode::FAILURE
}

fn table() -> Result<()> {
    let mut lines = String::new();
    std::io::stdin().read_to_string(&mut lines)?;
    print!("{}", row::table(&lines)?);
    Ok(())
}

/// Says what is being done, apart from the figures.
fn say(text: &str) {
    eprintln!("bench: {text}");
}
