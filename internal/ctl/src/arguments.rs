//! The command line.

use clap::{Parser, Subcommand};

use crate::{DebugArguments, ReleaseArguments};

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
    /// Let go of what is held of a peer since this cluster was rebuilt or restored
    ///
    /// Mappings of offloaded namespaces that nobody asks for any more are not taken away after such a change: they may be
    /// all that is left of something that the backup did not have. `liqoctl debug state` counts them ("orphans held").
    /// This takes them away, and with each its namespace in the peer and everything in that.
    Release(ReleaseArguments),
}
