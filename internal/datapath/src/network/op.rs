//! One step that changes the kernel.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Interface, Link, LinkKind, Route, RouteKey, Rule};
use crate::overlay::Mac;

/// A setting of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// Bytes of the longest IP packet.
    Mtu(u32),
    /// Hardware address.
    Mac(Mac),
    /// It asks for no hardware addresses and answers to nobody about its own.
    ArpOff,
    /// It is up.
    Up,
    /// IPv4 packets that arrive on it are forwarded.
    Forwarding,
    /// Any route back will do for packets that arrive on it.
    Loose,
}

/// One step. Each is safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Make an interface, down.
    CreateLink(Interface, Link),
    /// Remove an interface, and with it everything on it.
    DeleteLink(Interface),
    /// Change a setting of an interface.
    ChangeLink(Interface, LinkChange),
    /// Add an address.
    AddAddress(Interface, Ipv4Net),
    /// Remove an address.
    DeleteAddress(Interface, Ipv4Net),
    /// Add a route where there is none of ours; one of somebody else's is not touched.
    AddRoute(RouteKey, Route),
    /// Replace a route of ours.
    ReplaceRoute(RouteKey, Route),
    /// Remove a route.
    DeleteRoute(RouteKey, Route),
    /// Add a policy rule.
    AddRule(Rule),
    /// Remove a policy rule.
    DeleteRule(Rule),
    /// Add or replace a permanent neighbour.
    PutNeighbour(Interface, Ipv4Addr, Mac),
    /// Remove a neighbour.
    DeleteNeighbour(Interface, Ipv4Addr),
    /// Add or replace where the overlay sends frames for a hardware address.
    PutForward(Mac, Ipv4Addr),
    /// Remove it.
    DeleteForward(Mac, Ipv4Addr),
}

impl Op {
    /// What kind of thing it changes, for metrics.
    pub fn object(&self) -> &'static str {
        match self {
            Self::CreateLink(..) | Self::DeleteLink(..) | Self::ChangeLink(..) => "link",
            Self::AddAddress(..) | Self::DeleteAddress(..) => "address",
            Self::AddRoute(..) | Self::ReplaceRoute(..) | Self::DeleteRoute(..) => "route",
            Self::AddRule(..) | Self::DeleteRule(..) => "rule",
            Self::PutNeighbour(..) | Self::DeleteNeighbour(..) => "neighbour",
            Self::PutForward(..) | Self::DeleteForward(..) => "forward",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateLink(link, Link { kind: LinkKind::Vxlan { vni, port, local }, .. }) => {
                write!(out, "add link {link} type vxlan id {vni} local {local} dstport {port}")
            }
            Self::CreateLink(link, _) => write!(out, "add link {link}"),
            Self::DeleteLink(link) => write!(out, "delete link {link}"),
            Self::ChangeLink(link, change) => write!(out, "set link {link} {change}"),
            Self::AddAddress(link, address) => write!(out, "add address {address} dev {link}"),
            Self::DeleteAddress(link, address) => write!(out, "delete address {address} dev {link}"),
            Self::AddRoute(key, route) => write!(out, "add route {key}{route}"),
            Self::ReplaceRoute(key, route) => write!(out, "replace route {key}{route}"),
            Self::DeleteRoute(key, route) => write!(out, "delete route {key}{route}"),
            Self::AddRule(rule) => write!(out, "add rule {rule}"),
            Self::DeleteRule(rule) => write!(out, "delete rule {rule}"),
            Self::PutNeighbour(link, address, mac) => {
                write!(out, "put neighbour {address} lladdr {mac} dev {link}")
            }
            Self::DeleteNeighbour(link, address) => write!(out, "delete neighbour {address} dev {link}"),
            Self::PutForward(mac, to) => write!(out, "put forward {mac} dst {to}"),
            Self::DeleteForward(mac, to) => write!(out, "delete forward {mac} dst {to}"),
        }
    }
}

impl fmt::Display for LinkChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mtu(bytes) => write!(out, "mtu {bytes}"),
            Self::Mac(mac) => write!(out, "address {mac}"),
            Self::ArpOff => out.write_str("arp off"),
            Self::Up => out.write_str("up"),
            Self::Forwarding => out.write_str("forwarding on"),
            Self::Loose => out.write_str("rp_filter loose"),
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, to, metric } = self;
        write!(out, "{to} table {table}")?;
        if *metric == 0 { Ok(()) } else { write!(out, " metric {metric}") }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(via) = self.via {
            write!(out, " via {via}")?;
        }
        match self.link {
            Some(link) => write!(out, " dev {link}")?,
            None => out.write_str(" by another interface")?,
        }
        if let Some(source) = self.source {
            write!(out, " src {source}")?;
        }
        if self.plain { Ok(()) } else { out.write_str(" and more") }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.priority)?;
        if let Some(from) = self.from {
            write!(out, " from {from}")?;
        }
        if let Some(to) = self.to {
            write!(out, " to {to}")?;
        }
        if let Some(input) = self.input {
            write!(out, " iif {input}")?;
        }
        if self.plain { Ok(()) } else { out.write_str(" and more") }
    }
}
