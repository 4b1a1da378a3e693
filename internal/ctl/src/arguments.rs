//! The command line.

use clap::{Parser, Subcommand};

use crate::access::Access;
use crate::completion::{CompleteArguments, CompletionArguments};
use crate::generate::GenerateArguments;
use crate::offload::{OffloadArguments, UnoffloadArguments};
use crate::peer::PeerArguments;
use crate::status::StatusArguments;
use crate::unpeer::UnpeerArguments;
use crate::version::VersionArguments;
use crate::{DebugArguments, ReleaseArguments, ResetArguments};

/// Liqo from the command line.
#[derive(Clone, Debug, Parser)]
#[command(name = "liqoctl", version, about = "Works with Liqo in a Kubernetes cluster", max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Show more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// A verb.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Generate commands to run elsewhere
    Generate(GenerateArguments),
    /// Use resources of another cluster
    Peer(PeerArguments),
    /// Use resources of another cluster no longer
    Unpeer(UnpeerArguments),
    /// Extend namespaces to other clusters
    Offload(OffloadArguments),
    /// Extend namespaces to other clusters no longer
    Unoffload(UnoffloadArguments),
    /// Show how Liqo is doing in this cluster
    Status(StatusArguments),
    /// Look into the event log of a process of Liqo, live or exported to a file
    Debug(DebugArguments),
    /// Let go of what is held of a peer since this cluster was rebuilt or restored
    ///
    /// Mappings of offloaded namespaces that nobody asks for any more are not taken away after such a change: they may be
    /// all that is left of something that the backup did not have. `liqoctl debug state` counts them ("orphans held").
    /// This takes them away, and with each its namespace in the peer and everything in that.
    Release(ReleaseArguments),
    /// Undo what cannot be undone by asking again
    Reset(ResetArguments),
    /// Show the versions of this program and of Liqo in the cluster
    Version(VersionArguments),
    /// Print the completion script of a shell
    Completion(CompletionArguments),
    /// Answer a completion script
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArguments),
}
