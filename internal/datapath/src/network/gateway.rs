//! What the gateway needs: packets from peers go to the node of the pod, packets to peers into the tunnel.

use std::net::Ipv4Addr;

use liqo_projections::fabric::{GatewaySettings, OverlayNode, Peer};

use super::wanted::{OverlayEnd, direct, own_link};
use super::{Interface, Link, LinkKind, MAIN, Route, TABLE, TUNNEL_ADDRESS, Wanted};
use crate::overlay::{self, Mac};

/// What the gateway needs. `local` is the address of its pod.
///
/// Routes to pods are in a table of our own, which counts for packets from the tunnel alone: what the gateway itself has
/// to say to pods goes by the network plugin, whose routes stay as they are.
pub(crate) fn of_gateway<'a>(
    settings: &GatewaySettings,
    local: Ipv4Addr,
    peers: impl IntoIterator<Item = &'a Peer>,
    nodes: impl IntoIterator<Item = (&'a String, &'a OverlayNode)>,
) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.network.links.insert(Interface::Tunnel, own_link(LinkKind::Foreign, settings.mtu));
    wanted.network.links.insert(Interface::Uplink, uplink());
    wanted.network.addresses.insert((Interface::Tunnel, TUNNEL_ADDRESS.into()));
    wanted.overlay(&OverlayEnd {
        vxlan: settings.vxlan,
        local,
        address: overlay::GATEWAY,
        mac: Mac::of(overlay::GATEWAY),
        mtu: settings.mtu,
    });
    wanted.rule_from_interface(Interface::Tunnel);
    for peer in peers {
        wanted.route(MAIN, peer.pod_cidr, direct(Interface::Tunnel));
        wanted.route(MAIN, peer.external_cidr, direct(Interface::Tunnel));
    }
    for (name, node) in nodes {
        to_node(&mut wanted, name, node);
    }
    wanted
}

/// Answers of what a peer reaches by the external network come back here, and have to be forwarded.
fn uplink() -> Link {
    Link {
        kind: LinkKind::Foreign,
        mtu: None,
        mac: None,
        up: None,
        arp: None,
        forwarding: Some(true),
        loose: None,
    }
}

fn to_node(wanted: &mut Wanted, name: &str, node: &OverlayNode) {
    let address = overlay::address_of(node.address);
    if address == overlay::GATEWAY || !wanted.far_end(address, Mac::of(node.address), node.address) {
        let OverlayNode { address: below, .. } = node;
        let problem = format!("node {name}: its address {below} ends like that of another node");
        return wanted.problem(problem);
    }
    wanted.route(MAIN, address.into(), direct(Interface::Overlay));
    for pods in &node.pod_cidrs {
        wanted.route(TABLE, *pods, Route { via: Some(address), ..direct(Interface::Overlay) });
    }
}
