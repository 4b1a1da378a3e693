//! What the kernel is to hold for us, what it holds, and the steps from one to the other. Pure.

mod gateway;
mod node;
mod op;
mod plan;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

pub use op::{LinkChange, Op};
pub use plan::plan;

pub(crate) use gateway::of_gateway;
pub(crate) use node::of_node;

use crate::overlay::Mac;

/// The routing table that is ours alone.
pub const TABLE: u32 = 18952;
/// The routing table that everybody uses.
pub const MAIN: u32 = 254;
/// Priority of our policy rules: before those of every network plugin that we know of, since what they name is in the
/// networks of peers alone.
pub const PRIORITY: u32 = 90;
/// The address of every gateway inside the tunnel.
pub const TUNNEL_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 1);

/// A network interface that we do something with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// The end of the WireGuard tunnels, ours.
    Tunnel,
    /// The end of the overlay, ours.
    Overlay,
    /// The interface of the gateway's pod. It belongs to the network plugin: we only let it forward answers.
    Uplink,
}

impl Interface {
    /// The name in the kernel; the uplink's is found out when it is read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tunnel => "liqo.tunnel",
            Self::Overlay => "liqo.vxlan",
            Self::Uplink => "uplink",
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A VXLAN end without learning, group or lower device.
    Vxlan {
        /// Network identifier.
        vni: u32,
        /// UDP port.
        port: u16,
        /// The address that it sends from.
        local: Ipv4Addr,
    },
    /// Made by somebody else: the tunnel by who holds its other end, the uplink by the network plugin. An interface that
    /// is in the way of one of ours counts as this too.
    Foreign,
}

/// An interface and its settings; nothing stands for "it does not matter".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is.
    pub kind: LinkKind,
    /// Bytes of the longest IP packet.
    pub mtu: Option<u32>,
    /// Hardware address.
    pub mac: Option<Mac>,
    /// Whether it is up.
    pub up: Option<bool>,
    /// Whether it asks for and answers about hardware addresses.
    pub arp: Option<bool>,
    /// Whether IPv4 packets that arrive on it are forwarded.
    pub forwarding: Option<bool>,
    /// Whether any route back will do for packets that arrive on it, as opposed to one by the same interface.
    pub loose: Option<bool>,
}

/// What tells routes of one table apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// The table.
    pub table: u32,
    /// Destination.
    pub to: Ipv4Net,
    /// Metric; ours have none.
    pub metric: u32,
}

/// Where a route leads. A next hop is always on the link, whatever its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// By which interface; nothing when it is none of ours.
    pub link: Option<Interface>,
    /// To which next hop, if not to the destination itself.
    pub via: Option<Ipv4Addr>,
    /// Source of packets that begin here.
    pub source: Option<Ipv4Addr>,
    /// Whether this is all that can be said of it. Ours are plain.
    pub plain: bool,
}

/// A policy rule that leads to [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Rules of lower priority numbers come first.
    pub priority: u32,
    /// Only packets from here.
    pub from: Option<Ipv4Net>,
    /// Only packets to here.
    pub to: Option<Ipv4Net>,
    /// Only packets that arrived here.
    pub input: Option<Interface>,
    /// Whether this is all that can be said of it. Ours are plain.
    pub plain: bool,
}

/// What the kernel holds, or is to hold, for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Interfaces.
    pub links: BTreeMap<Interface, Link>,
    /// Addresses of our interfaces.
    pub addresses: BTreeSet<(Interface, Ipv4Net)>,
    /// Routes in our table, and those by our interfaces in the main one.
    pub routes: BTreeMap<RouteKey, Route>,
    /// Policy rules that lead to our table.
    pub rules: BTreeSet<Rule>,
    /// Hardware addresses of neighbours on our interfaces, permanent ones.
    pub neighbours: BTreeMap<(Interface, Ipv4Addr), Mac>,
    /// Where the overlay sends frames for a hardware address.
    pub forwards: BTreeSet<(Mac, Ipv4Addr)>,
}

/// What is wanted, and what of it cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What can be.
    pub network: Network,
    /// What cannot, in a sentence each.
    pub problems: Vec<String>,
}

#[cfg(test)]
mod tests;
