//! The command lines of `liqoctl offload` and `liqoctl unoffload`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use liqo_model::crd::{
    NamespaceMappingStrategy, NamespaceOffloadingSpec, NodeSelector, NodeSelectorTerm, PodOffloadingStrategy,
};

use super::selector;
use crate::duration;
use crate::form::Form;

/// Extend something to other clusters.
#[derive(Clone, Debug, Args)]
pub struct OffloadArguments {
    #[command(subcommand)]
    pub(crate) command: OffloadCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OffloadCommand {
    /// Extend a namespace to other clusters
    #[command(alias = "ns")]
    Namespace(OffloadNamespace),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct OffloadNamespace {
    /// The namespace
    #[arg(value_name = "NAMESPACE")]
    pub(crate) name: String,
    /// How the namespace is called in other clusters: as here, or with the name of this cluster behind it
    #[arg(long, value_name = "STRATEGY", value_enum, ignore_case = true, default_value_t = Mapping::DefaultName)]
    pub(crate) namespace_mapping_strategy: Mapping,
    /// Where pods of the namespace may run
    #[arg(long, value_name = "STRATEGY", value_enum, ignore_case = true, default_value_t = Placement::LocalAndRemote)]
    pub(crate) pod_offloading_strategy: Placement,
    /// Clusters to extend it to, by labels of their virtual nodes, as `kubectl -l` takes them; repeated, one of them has
    /// to fit. Without it all clusters are meant
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector::parse)]
    pub(crate) selector: Vec<NodeSelectorTerm>,
    /// Print the object instead of applying it
    #[arg(short, long, value_name = "FORM", value_enum)]
    pub(crate) output: Option<Form>,
    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
}

impl OffloadNamespace {
    /// What the object is to say.
    pub(crate) fn spec(&self) -> NamespaceOffloadingSpec {
        NamespaceOffloadingSpec {
            namespace_mapping_strategy: match self.namespace_mapping_strategy {
                Mapping::DefaultName => NamespaceMappingStrategy::DefaultName,
                Mapping::EnforceSameName => NamespaceMappingStrategy::EnforceSameName,
            },
            pod_offloading_strategy: match self.pod_offloading_strategy {
                Placement::LocalAndRemote => PodOffloadingStrategy::LocalAndRemote,
                Placement::Local => PodOffloadingStrategy::Local,
                Placement::Remote => PodOffloadingStrategy::Remote,
            },
            cluster_selector: NodeSelector { node_selector_terms: self.selector.clone() },
        }
    }
}

/// How the namespace is called in other clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Mapping {
    /// The name here, and that of this cluster behind it
    DefaultName,
    /// As here
    EnforceSameName,
}

/// Where pods may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Placement {
    /// On nodes of this cluster and on virtual nodes
    LocalAndRemote,
    /// On virtual nodes
    Remote,
    /// On nodes of this cluster
    Local,
}

/// Extend something to other clusters no longer.
#[derive(Clone, Debug, Args)]
pub struct UnoffloadArguments {
    #[command(subcommand)]
    pub(crate) command: UnoffloadCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum UnoffloadCommand {
    /// Extend a namespace to other clusters no longer; everything of it in other clusters is deleted, volumes too
    #[command(alias = "ns")]
    Namespace {
        /// The namespace
        #[arg(value_name = "NAMESPACE")]
        name: String,
        /// How long to wait
        #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration::parse)]
        timeout: Duration,
    },
}
