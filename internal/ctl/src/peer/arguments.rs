//! The command line of `liqoctl peer`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::access::Installed;
use crate::duration;
use crate::token::Token;

/// Use resources of another cluster.
#[derive(Clone, Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub struct PeerArguments {
    /// A cluster that is known already: the name of its `ForeignCluster`
    #[arg(required = true, value_name = "CLUSTER")]
    pub(crate) peer: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<PeerCommand>,
    /// How long to wait, for all steps together
    #[arg(long, global = true, value_name = "DURATION", default_value = "120s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
    /// Show what would be created, changed and deleted in both clusters, and change nothing
    #[arg(long, global = true)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) installed: Installed,
}

/// How the control planes reach each other.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// Peer with a cluster whose authentication service and API server this one reaches directly
    ///
    /// `liqoctl generate peer-command` in the other cluster prints this command with its flags. Running it again changes
    /// nothing that is as it should be.
    #[command(alias = "oob")]
    OutOfBand(OutOfBand),
}

/// A cluster that is reached directly.
#[derive(Clone, Debug, Args)]
pub(crate) struct OutOfBand {
    /// Name to give to the other cluster, its `ForeignCluster` and its virtual node
    #[arg(value_name = "CLUSTER")]
    pub(crate) name: String,
    /// URL of the authentication service of the other cluster
    #[arg(long, value_name = "URL")]
    pub(crate) auth_url: String,
    /// ID of the other cluster
    #[arg(long, value_name = "ID")]
    pub(crate) cluster_id: String,
    /// Token of the other cluster
    #[arg(long, value_name = "TOKEN")]
    pub(crate) auth_token: Token,
}
