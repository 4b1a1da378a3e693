//! The command line.

use clap::{Parser, Subcommand};

use crate::DebugArguments;

/// Liqo from the command line.
#[derive(Clone, Debug, Parser)]
#[command(name = "liqoctl", version, about = "Works with Liqo in a Kubernetes cluster", max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A verb.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Look into the event log of a process of Liqo, live or exported to a file
    Debug(DebugArguments),
}
