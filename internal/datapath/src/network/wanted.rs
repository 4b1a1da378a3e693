//! Puts together what is wanted.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Interface, Link, LinkKind, PRIORITY, Route, RouteKey, Rule, Wanted};
use crate::overlay::Mac;
use liqo_projections::fabric::Vxlan;

/// This end of the overlay.
pub(super) struct OverlayEnd {
    pub(super) vxlan: Vxlan,
    /// Address in the network below.
    pub(super) local: Ipv4Addr,
    /// Address in the overlay.
    pub(super) address: Ipv4Addr,
    pub(super) mac: Mac,
    pub(super) mtu: u16,
}

impl Wanted {
    pub(super) fn overlay(&mut self, end: &OverlayEnd) {
        let kind = LinkKind::Vxlan { vni: end.vxlan.vni, port: end.vxlan.port, local: end.local };
        let link = Link { mac: Some(end.mac), arp: Some(false), ..own_link(kind, end.mtu) };
        self.network.links.insert(Interface::Overlay, link);
        self.network.addresses.insert((Interface::Overlay, end.address.into()));
    }

    /// The other end of the overlay that has `overlay` as its address there and `below` in the network below. False when
    /// another one has that overlay address.
    pub(super) fn far_end(&mut self, overlay: Ipv4Addr, mac: Mac, below: Ipv4Addr) -> bool {
        let key = (Interface::Overlay, overlay);
        if self.network.neighbours.get(&key).is_some_and(|known| *known != mac) {
            return false;
        }
        self.network.neighbours.insert(key, mac);
        self.network.forwards.insert((mac, below));
        true
    }

    pub(super) fn route(&mut self, table: u32, to: Ipv4Net, route: Route) {
        self.network.routes.insert(RouteKey { table, to: to.trunc(), metric: 0 }, route);
    }

    pub(super) fn rule_to(&mut self, to: Ipv4Net) {
        self.network.rules.insert(Rule { to: Some(to.trunc()), ..any_packet() });
    }

    pub(super) fn rule_from_interface(&mut self, input: Interface) {
        self.network.rules.insert(Rule { input: Some(input), ..any_packet() });
    }

    pub(super) fn problem(&mut self, text: String) {
        self.problems.push(text);
    }
}

/// A link of ours: up, forwarding, and content with any route back, since packets come by the overlay for which the main
/// table knows another way.
pub(super) fn own_link(kind: LinkKind, mtu: u16) -> Link {
    Link {
        kind,
        mtu: Some(u32::from(mtu)),
        mac: None,
        up: Some(true),
        arp: None,
        forwarding: Some(true),
        loose: Some(true),
    }
}

/// A route to what is on the link itself.
pub(super) fn direct(link: Interface) -> Route {
    Route { link: Some(link), via: None, source: None, plain: true }
}

fn any_packet() -> Rule {
    Rule { priority: PRIORITY, from: None, to: None, input: None, plain: true }
}
