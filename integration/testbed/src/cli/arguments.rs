//! What the command takes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::Ipv4Net;
use liqo_testbed::{ClusterName, ClusterSpec, ComponentFlag, Error, parse_cidr};

/// Real multi-node Kubernetes clusters on this machine, in seconds.
#[derive(Debug, Parser)]
#[command(name = "testbed", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) output: Format,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Bring clusters up; what runs already is left alone, what half-runs is repaired.
    Up(Up),
    /// Take clusters down, or all of them, and leave nothing behind.
    Down {
        /// The clusters; none means all.
        names: Vec<ClusterName>,
    },
    /// Show clusters, nodes, components and faults.
    Status,
    /// Print the administrator's kubeconfig of a cluster.
    Kubeconfig {
        name: ClusterName,
        /// Print the file's path instead, as KUBECONFIG takes it.
        #[arg(long)]
        path: bool,
    },
    /// Import an image archive (docker or OCI) on every node of a cluster.
    Load { name: ClusterName, archive: PathBuf },
    /// Print what a component of a node wrote.
    Logs {
        node: String,
        component: String,
        /// Go on with what it writes from now on.
        #[arg(long, short)]
        follow: bool,
    },
    /// Run a command in a node.
    Exec {
        node: String,
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Break something, and mend it.
    #[command(subcommand)]
    Fault(Fault),
    /// Print the directory with kubectl, helm and all components; they are built first when missing.
    Kubernetes,
    #[command(hide = true)]
    Supervise { node: PathBuf },
    #[command(hide = true)]
    LoadBalancer { config: PathBuf },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The clusters.
    #[arg(required = true)]
    names: Vec<ClusterName>,
    /// Nodes of each cluster, the control plane included.
    #[arg(long, default_value = "1", value_parser = nodes, conflicts_with = "control_plane_only")]
    nodes: usize,
    /// The pod network of each cluster; those of different clusters may overlap.
    #[arg(long, default_value = liqo_testbed::DEFAULT_POD_CIDR, value_parser = pod_cidr)]
    pod_cidr: Ipv4Net,
    /// The Service network of each cluster.
    #[arg(long, default_value = liqo_testbed::DEFAULT_SERVICE_CIDR, value_parser = service_cidr)]
    service_cidr: Ipv4Net,
    /// etcd, API server, controller manager and scheduler, but no node that runs pods.
    #[arg(long)]
    control_plane_only: bool,
    /// Let the API servers write an audit log (`testbed logs NODE audit`).
    #[arg(long)]
    audit: bool,
    /// Leave Services of type LoadBalancer pending.
    #[arg(long)]
    no_load_balancer: bool,
    /// Put a masquerading router before this cluster; from outside only TCP 6443 and 30000-32767 reach it.
    #[arg(long, value_name = "NAME")]
    behind_nat: Vec<ClusterName>,
    /// Additional flags, each as COMPONENT=--flag=value.
    #[arg(long, value_name = "COMPONENT=--FLAG", num_args = 1..)]
    kubernetes_flags: Vec<ComponentFlag>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Fault {
    /// SIGKILL a component, which runs again at once, or take a node's power away until `fault start`.
    Kill(Target),
    /// Stop a component (SIGTERM) until `fault start`.
    Stop(ComponentOf),
    /// Start a component, or a node that is off, and wait until it is back.
    Start(Target),
    /// Stop and start a component, or a node.
    Restart(Target),
    /// Let a component hang (SIGSTOP): its connections stay open, nothing answers.
    Pause(ComponentOf),
    /// Let a paused component go on.
    Resume(ComponentOf),
    /// Cut the link of a node, of a cluster to all others, or between two clusters.
    Cut {
        /// A node, a cluster, or two clusters.
        #[arg(required = true, num_args = 1..=2)]
        link: Vec<String>,
    },
    /// Heal a link that was cut.
    Heal {
        /// A node, a cluster, or two clusters.
        #[arg(num_args = 1..=2, required_unless_present = "all")]
        link: Vec<String>,
        /// Heal all links.
        #[arg(long, conflicts_with = "link")]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Target {
    pub(crate) node: String,
    /// Without it, the node itself.
    pub(crate) component: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ComponentOf {
    pub(crate) node: String,
    pub(crate) component: String,
}

impl Up {
    /// One specification for each name.
    pub(crate) fn specs(&self) -> Result<Vec<ClusterSpec>, Error> {
        if let Some(stranger) = self.behind_nat.iter().find(|name| !self.names.contains(name)) {
            return Err(Error::Invalid {
                what: "--behind-nat",
                value: stranger.to_string(),
                problem: "is not one of the clusters to bring up".into(),
                fix: "name it as a cluster, too".into(),
            });
        }
        let spec = |name: &ClusterName| ClusterSpec {
            nodes: if self.control_plane_only { 0 } else { self.nodes },
            pod_cidr: self.pod_cidr,
            service_cidr: self.service_cidr,
            audit: self.audit,
            load_balancer: !self.no_load_balancer && !self.control_plane_only,
            behind_nat: self.behind_nat.contains(name),
            flags: self.kubernetes_flags.clone(),
            ..ClusterSpec::new(name.clone())
        };
        Ok(self.names.iter().map(spec).collect())
    }
}

fn nodes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a cluster has 1 node or more; --control-plane-only starts one without".into()),
        Ok(nodes) => Ok(nodes),
    }
}

fn pod_cidr(text: &str) -> Result<Ipv4Net, Error> {
    parse_cidr("--pod-cidr", text)
}

fn service_cidr(text: &str) -> Result<Ipv4Net, Error> {
    parse_cidr("--service-cidr", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_apply_to_all_clusters_and_nat_to_the_named() {
        let words = "testbed up rome milan --nodes 2 --behind-nat milan --kubernetes-flags kubelet=--v=2 etcd=--log-level=debug";
        let arguments = Arguments::try_parse_from(words.split(' ')).unwrap();
        let Verb::Up(up) = arguments.verb else { panic!("{arguments:?}") };
        let specs = up.specs().unwrap();
        assert_eq!(
            specs.iter().map(|s| (s.nodes, s.behind_nat)).collect::<Vec<_>>(),
            [(2, false), (2, true)]
        );
        assert_eq!(specs[0].flags.len(), 2);
    }

    #[test]
    fn nat_for_a_stranger_is_refused() {
        let arguments =
            Arguments::try_parse_from(["testbed", "up", "rome", "--behind-nat", "milan"]).unwrap();
        let Verb::Up(up) = arguments.verb else { panic!("{arguments:?}") };
        assert!(up.specs().unwrap_err().line().contains("milan"));
    }
}
