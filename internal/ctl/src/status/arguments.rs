//! The command line of `liqoctl status`.

use clap::{Args, Subcommand};

use crate::access::Installed;
use crate::form::Form;

/// Show how Liqo is doing.
#[derive(Clone, Debug, Args)]
pub struct StatusArguments {
    #[command(subcommand)]
    pub(crate) command: Option<StatusCommand>,
    #[command(flatten)]
    pub(crate) installed: Installed,
    /// Show it for other tools
    #[arg(short, long, global = true, value_name = "FORM", value_enum)]
    pub(crate) output: Option<Form>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StatusCommand {
    /// Show how peerings are
    #[command(alias = "peers")]
    Peer {
        /// Clusters, by the names of their `ForeignCluster` objects; without any, all of them
        #[arg(value_name = "CLUSTER")]
        names: Vec<String>,
    },
}
