//! What a user asks for: one cluster.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{ClusterName, ComponentFlag, Network, NodeName};
use crate::error::{Error, Result};

/// The pod network of a cluster unless the user names another. All clusters share it on purpose: pod networks that
/// overlap are the case that a multi-cluster network has to survive.
pub const DEFAULT_POD_CIDR: &str = "10.200.0.0/16";
/// The Service network of a cluster unless the user names another.
pub const DEFAULT_SERVICE_CIDR: &str = "10.80.0.0/16";

/// More nodes than this on one machine only measure the machine, and their addresses must stay below the pool of the
/// load balancer (see [`super::AddressPlan`]).
const MOST_NODES: usize = 60;
/// kube-controller-manager gives each node a block of pod addresses; below 16 addresses a node runs no useful set.
const SMALLEST_NODE_BLOCK: u8 = 28;
/// The block of a node where the pod network has room for it, as in a kubeadm cluster.
const USUAL_NODE_BLOCK: u8 = 24;

/// A cluster as asked for. Two equal specifications give the same cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// The cluster's name.
    pub name: ClusterName,
    /// Nodes in all, the control plane included. Zero when only the control plane runs.
    pub nodes: usize,
    /// The pod network.
    pub pod_cidr: Ipv4Net,
    /// The Service network.
    pub service_cidr: Ipv4Net,
    /// Whether the API server writes an audit log.
    pub audit: bool,
    /// Whether Services of type LoadBalancer get an address.
    pub load_balancer: bool,
    /// Whether a masquerading router stands between this cluster and the others.
    pub behind_nat: bool,
    /// Flags of the user for components.
    pub flags: Vec<ComponentFlag>,
}

impl ClusterSpec {
    /// A cluster of one node with all defaults.
    pub fn new(name: ClusterName) -> Self {
        let cidr = |address, prefix| Ipv4Net::new(address, prefix).unwrap_or_default();
        Self {
            name,
            nodes: 1,
            pod_cidr: cidr(Ipv4Addr::new(10, 200, 0, 0), 16),
            service_cidr: cidr(Ipv4Addr::new(10, 80, 0, 0), 16),
            audit: false,
            load_balancer: true,
            behind_nat: false,
            flags: Vec::new(),
        }
    }

    /// Whether there are no kubelets, only a control plane.
    pub fn control_plane_only(&self) -> bool {
        self.nodes == 0
    }

    /// The machines of the cluster: its nodes, or the one that runs the control plane alone.
    pub fn node_names(&self) -> Vec<NodeName> {
        (0..self.nodes.max(1)).map(|ordinal| self.name.node(ordinal)).collect()
    }

    /// The prefix length of each node's block of pod addresses.
    pub fn node_block(&self) -> u8 {
        let bits = self.nodes.max(1).next_power_of_two().trailing_zeros() as u8;
        USUAL_NODE_BLOCK.max(self.pod_cidr.prefix_len() + bits)
    }

    /// The block of pod addresses of the node with this ordinal.
    pub fn node_pods(&self, ordinal: usize) -> Option<Ipv4Net> {
        self.pod_cidr.subnets(self.node_block()).ok()?.nth(ordinal)
    }

    /// The address of the cluster's DNS Service: the tenth, as kubeadm has it.
    pub fn dns_address(&self) -> Option<Ipv4Addr> {
        self.service_cidr.hosts().nth(9)
    }

    /// The address of Service `kubernetes`: the first.
    pub fn kubernetes_address(&self) -> Option<Ipv4Addr> {
        self.service_cidr.hosts().next()
    }

    /// The user's flags for one component.
    pub fn flags_of<'a>(&'a self, component: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |f| f.component == component).map(|f| f.flag.as_str())
    }

    /// Checks the specification against itself and against the network of the testbed.
    ///
    /// # Errors
    /// [`Error::Invalid`], which names the flag and the fix.
    pub fn validate(&self, network: &Network) -> Result<()> {
        if self.nodes > MOST_NODES {
            return Err(Error::Invalid {
                what: "--nodes",
                value: self.nodes.to_string(),
                problem: "is more than one machine can show anything with".into(),
                fix: format!("ask for 1 to {MOST_NODES}"),
            });
        }
        self.validate_ranges()?;
        self.validate_sizes()?;
        let cidrs = [
            ("--pod-cidr", self.pod_cidr),
            ("--service-cidr", self.service_cidr),
            ("the nodes' network", network.cidr()),
        ];
        for (i, (what, left)) in cidrs.iter().enumerate() {
            for (other, right) in &cidrs[i + 1..] {
                if left.contains(right) || right.contains(left) {
                    return Err(Error::Invalid {
                        what,
                        value: left.to_string(),
                        problem: format!("overlaps {other} {right}"),
                        fix: "choose another range".into(),
                    });
                }
            }
        }
        Ok(())
    }

    fn validate_ranges(&self) -> Result<()> {
        for (what, cidr) in [("--pod-cidr", self.pod_cidr), ("--service-cidr", self.service_cidr)] {
            let address = cidr.network();
            if address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_unspecified()
            {
                return Err(Error::Invalid {
                    what,
                    value: cidr.to_string(),
                    problem: "is a range that hosts keep for themselves".into(),
                    fix: "choose a private range, such as one of 10.0.0.0/8".into(),
                });
            }
        }
        Ok(())
    }

    fn validate_sizes(&self) -> Result<()> {
        let too = |what, cidr: Ipv4Net, problem: String, fix: String| {
            Err(Error::Invalid { what, value: cidr.to_string(), problem, fix })
        };
        if self.node_block() > SMALLEST_NODE_BLOCK {
            let longest = SMALLEST_NODE_BLOCK - (self.node_block() - self.pod_cidr.prefix_len());
            return too(
                "--pod-cidr",
                self.pod_cidr,
                format!("is too small for {} nodes", self.nodes.max(1)),
                format!("use a prefix of at most /{longest}"),
            );
        }
        // The controller that gives nodes their blocks keeps a bitmap of at most 16 bits.
        if self.pod_cidr.prefix_len() < 8 {
            return too(
                "--pod-cidr",
                self.pod_cidr,
                "is too large".into(),
                "use a prefix of at least /8".into(),
            );
        }
        // The API server keeps an allocation bitmap and refuses more than 20 bits of addresses.
        if !(12..=27).contains(&self.service_cidr.prefix_len()) {
            return too(
                "--service-cidr",
                self.service_cidr,
                "has a size that Kubernetes does not take".into(),
                "use a prefix between /12 and /27".into(),
            );
        }
        Ok(())
    }
}

/// Reads a CIDR that a user typed.
///
/// # Errors
/// [`Error::Invalid`] that names `what` when it does not parse, is not IPv4 or has bits behind its prefix.
pub fn parse_cidr(what: &'static str, text: &str) -> Result<Ipv4Net> {
    let invalid = |problem: &str, fix: String| Error::Invalid {
        what,
        value: text.to_owned(),
        problem: problem.to_owned(),
        fix,
    };
    let cidr: Ipv4Net = text
        .parse()
        .map_err(|_| invalid("is not an IPv4 range", format!("write it like {DEFAULT_POD_CIDR}")))?;
    if cidr.trunc() != cidr {
        return Err(invalid("has bits set behind its prefix", format!("did you mean {}?", cidr.trunc())));
    }
    Ok(cidr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ClusterSpec {
        ClusterSpec::new("rome".parse().unwrap())
    }

    fn refusal(change: impl FnOnce(&mut ClusterSpec)) -> String {
        let mut spec = spec();
        change(&mut spec);
        spec.validate(&Network::default()).unwrap_err().line()
    }

    #[test]
    fn the_defaults_are_valid() {
        spec().validate(&Network::default()).unwrap();
        assert_eq!(spec().pod_cidr.to_string(), DEFAULT_POD_CIDR);
        assert_eq!(spec().service_cidr.to_string(), DEFAULT_SERVICE_CIDR);
    }

    #[test]
    fn ranges_that_overlap_are_refused_by_name() {
        let error = refusal(|s| s.pod_cidr = "10.80.0.0/12".parse().unwrap());
        assert!(error.contains("--pod-cidr") && error.contains("--service-cidr"), "{error}");
        let error = refusal(|s| s.service_cidr = "172.30.0.0/16".parse().unwrap());
        assert!(error.contains("--service-cidr") && error.contains("nodes' network"), "{error}");
    }

    #[test]
    fn a_pod_range_must_have_room_for_each_node() {
        let error = refusal(|s| (s.pod_cidr, s.nodes) = ("10.9.0.0/28".parse().unwrap(), 3));
        assert!(error.contains("too small for 3 nodes") && error.contains("/26"), "{error}");
        let mut spec = spec();
        (spec.pod_cidr, spec.nodes) = ("10.9.0.0/24".parse().unwrap(), 3);
        spec.validate(&Network::default()).unwrap();
        assert_eq!(spec.node_pods(2).unwrap().to_string(), "10.9.0.128/26");
    }

    #[test]
    fn ranges_that_are_no_networks_are_refused() {
        assert!(refusal(|s| s.pod_cidr = "127.0.0.0/16".parse().unwrap()).contains("--pod-cidr"));
        assert!(refusal(|s| s.service_cidr = "224.0.0.0/16".parse().unwrap()).contains("--service-cidr"));
        assert!(refusal(|s| s.pod_cidr = "16.0.0.0/7".parse().unwrap()).contains("/8"));
    }

    #[test]
    fn sizes_outside_of_what_kubernetes_takes_are_refused() {
        assert!(refusal(|s| s.service_cidr = "10.0.0.0/9".parse().unwrap()).contains("/12"));
        assert!(refusal(|s| s.nodes = 61).contains("--nodes"));
    }

    #[test]
    fn a_cidr_is_read_strictly() {
        assert!(parse_cidr("--pod-cidr", "10.1.2.3/16").unwrap_err().line().contains("10.1.0.0/16"));
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "fd00::/64", "ten/8"] {
            let error = parse_cidr("--pod-cidr", bad).unwrap_err().line();
            assert!(error.starts_with("--pod-cidr"), "{error}");
        }
    }
}
