//! Which address belongs to what: a pure function of the testbed's network, the cluster's index and its nodes.
//!
//! ```text
//! 172.30.0.1        the machine            172.30.I.1 …      nodes of cluster I
//! 172.30.0.2        the switch             172.30.I.192/26   its load balancer's pool
//! 172.30.255.I      its router, outside    172.30.I.254      its router, inside
//! ```

use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::parse_cidr;
use crate::error::{Error, Result};

/// The network that joins the machine and all nodes: a /16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network(Ipv4Net);

impl Default for Network {
    fn default() -> Self {
        Self(Ipv4Net::new(Ipv4Addr::new(172, 30, 0, 0), 16).unwrap_or_default())
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let cidr = parse_cidr("LIQO_TESTBED_NETWORK", text)?;
        if cidr.prefix_len() != 16 {
            return Err(Error::Invalid {
                what: "LIQO_TESTBED_NETWORK",
                value: text.to_owned(),
                problem: "is not a /16".into(),
                fix: "each cluster takes a /24 of it: choose a private /16 that this machine does not use"
                    .into(),
            });
        }
        Ok(Self(cidr))
    }
}

impl Network {
    /// The range.
    pub fn cidr(&self) -> Ipv4Net {
        self.0
    }

    /// The address with these last two octets.
    fn at(&self, third: u8, fourth: u8) -> Ipv4Addr {
        let [a, b, ..] = self.0.network().octets();
        Ipv4Addr::new(a, b, third, fourth)
    }

    /// The machine that runs the testbed.
    pub fn machine(&self) -> Ipv4Addr {
        self.at(0, 1)
    }

    /// The switch, which routes to the addresses of load balancers.
    pub fn switch(&self) -> Ipv4Addr {
        self.at(0, 2)
    }
}

/// The addresses of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// The node's own address.
    pub address: Ipv4Addr,
    /// The length of the prefix that is on its link.
    pub prefix: u8,
    /// Where it sends what is not on its link.
    pub gateway: Ipv4Addr,
}

/// The addresses of one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPlan {
    network: Network,
    index: u8,
    behind_nat: bool,
}

impl AddressPlan {
    /// The plan of the cluster with this index (1 to 250).
    pub fn new(network: Network, index: u8, behind_nat: bool) -> Self {
        Self { network, index, behind_nat }
    }

    /// The cluster's index.
    pub fn index(&self) -> u8 {
        self.index
    }

    /// The addresses of the node with this ordinal. A node behind a router shares a link with its own cluster only.
    pub fn node(&self, ordinal: usize) -> NodeAddress {
        let address = self.network.at(self.index, (ordinal + 1) as u8);
        if self.behind_nat {
            NodeAddress { address, prefix: 24, gateway: self.router_inside() }
        } else {
            NodeAddress { address, prefix: 16, gateway: self.network.switch() }
        }
    }

    /// All addresses of the cluster: nodes and load balancer.
    pub fn subnet(&self) -> Ipv4Net {
        Ipv4Net::new(self.network.at(self.index, 0), 24).unwrap_or_default()
    }

    /// The addresses that Services of type LoadBalancer get.
    pub fn load_balancer_pool(&self) -> Ipv4Net {
        Ipv4Net::new(self.network.at(self.index, 192), 26).unwrap_or_default()
    }

    /// The router as its own cluster sees it.
    pub fn router_inside(&self) -> Ipv4Addr {
        self.network.at(self.index, 254)
    }

    /// The router as everybody else sees it.
    pub fn router_outside(&self) -> Ipv4Addr {
        self.network.at(255, self.index)
    }

    /// Where the machine and other clusters reach the API server.
    pub fn api_server(&self) -> Ipv4Addr {
        if self.behind_nat { self.router_outside() } else { self.node(0).address }
    }

    /// What other clusters see of this one.
    pub fn seen_from_outside(&self) -> Ipv4Net {
        if self.behind_nat {
            Ipv4Net::new(self.router_outside(), 32).unwrap_or_default()
        } else {
            self.subnet()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_cluster_on_the_switch() {
        let plan = AddressPlan::new(Network::default(), 2, false);
        let node = plan.node(1);
        assert_eq!((node.address.to_string(), node.prefix), ("172.30.2.2".into(), 16));
        assert_eq!(node.gateway, Network::default().switch());
        assert_eq!(plan.api_server(), plan.node(0).address);
        assert_eq!(plan.load_balancer_pool().to_string(), "172.30.2.192/26");
    }

    #[test]
    fn a_cluster_behind_nat_shows_only_its_router() {
        let plan = AddressPlan::new(Network::default(), 3, true);
        assert_eq!((plan.node(0).prefix, plan.node(0).gateway.to_string()), (24, "172.30.3.254".into()));
        assert_eq!(plan.api_server().to_string(), "172.30.255.3");
        assert_eq!(plan.seen_from_outside().to_string(), "172.30.255.3/32");
    }

    #[test]
    fn nodes_never_reach_into_the_pool() {
        let plan = AddressPlan::new(Network::default(), 1, false);
        assert!(!plan.load_balancer_pool().contains(&plan.node(59).address));
    }

    #[test]
    fn the_network_is_a_slash_sixteen() {
        assert!("10.77.0.0/16".parse::<Network>().is_ok());
        assert!("10.77.0.0/24".parse::<Network>().unwrap_err().line().contains("/16"));
    }
}
