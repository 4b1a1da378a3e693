//! Addresses by which peers reach this cluster, chosen from what nodes and Services say.
//!
//! Every choice is the same for the same facts in any order: lists of an API server have none.

mod api_server;
mod auth_url;

pub use api_server::advertised_api_server;
pub(crate) use api_server::with_scheme;
pub use auth_url::{ServiceFacts, ServiceKind, home_auth_url};

use std::collections::BTreeMap;

/// What an address of a node is, the one that is preferred first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressKind {
    /// A name that everybody can resolve.
    ExternalDns,
    /// An address that everybody can reach.
    ExternalIp,
    /// A name within the network of the nodes.
    InternalDns,
    /// An address within the network of the nodes.
    InternalIp,
    /// What the node calls itself.
    Hostname,
}

impl AddressKind {
    /// Reads `status.addresses[].type` of a node; nothing for a type of another version.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ExternalDNS" => Some(Self::ExternalDns),
            "ExternalIP" => Some(Self::ExternalIp),
            "InternalDNS" => Some(Self::InternalDns),
            "InternalIP" => Some(Self::InternalIp),
            "Hostname" => Some(Self::Hostname),
            _ => None,
        }
    }
}

/// What matters of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its addresses, in its order.
    pub addresses: Vec<(AddressKind, String)>,
}

/// The address of the preferred kind that any of the nodes has; of several nodes, the one whose name comes first.
fn preferred<'a>(nodes: impl Iterator<Item = &'a NodeFacts>) -> Option<&'a str> {
    let addresses = nodes.flat_map(|node| {
        node.addresses.iter().enumerate().map(|(at, (kind, address))| ((*kind, &node.name, at), address))
    });
    let known = addresses.filter(|(_, address)| !address.is_empty());
    known.min_by_key(|(rank, _)| *rank).map(|(_, address)| address.as_str())
}

/// An address as it stands in a URL: IPv6 in brackets.
fn in_url(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
pub(crate) fn node(name: &str, label: (&str, &str), addresses: &[(&str, &str)]) -> NodeFacts {
    let known = |(kind, address): &(&str, &str)| (AddressKind::parse(kind).unwrap(), (*address).to_owned());
    NodeFacts {
        name: name.to_owned(),
        labels: [(label.0.to_owned(), label.1.to_owned())].into(),
        addresses: addresses.iter().map(known).collect(),
    }
}
