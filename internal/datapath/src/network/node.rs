//! What a node needs: packets to peers go to the gateway, by the overlay.

use std::net::Ipv4Addr;

use liqo_projections::fabric::{NodePeer, NodeSettings, NodeView};

use super::wanted::{OverlayEnd, direct};
use super::{Interface, Route, TABLE, Wanted};
use crate::overlay::{self, Mac};

/// What a node needs; nothing is said before it knows its own address.
///
/// Without a gateway the rules stay, and the overlay has nowhere to send to: packets for a peer never leave by another
/// way, where somebody else might answer.
pub(crate) fn of_node(view: &NodeView) -> Option<Wanted> {
    let settings = view.settings.as_ref()?;
    let mut wanted = Wanted::default();
    let address = overlay::address_of(settings.address);
    wanted.overlay(&OverlayEnd {
        vxlan: settings.vxlan,
        local: settings.address,
        address,
        mac: Mac::of(settings.address),
        mtu: settings.mtu,
    });
    if let Some(gateway) = view.gateway {
        wanted.far_end(overlay::GATEWAY, Mac::of(overlay::GATEWAY), gateway.address);
    }
    let gateway = view.gateway.map(|gateway| gateway.address);
    for (id, peer) in &view.peers {
        match obstacle(peer, settings, gateway) {
            Some(obstacle) => wanted.problem(format!("peer {id}: {obstacle}")),
            None => to_peer(&mut wanted, peer, address),
        }
    }
    Some(wanted)
}

fn to_peer(wanted: &mut Wanted, peer: &NodePeer, source: Ipv4Addr) {
    let route = Route { via: Some(overlay::GATEWAY), source: Some(source), ..direct(Interface::Overlay) };
    for network in [peer.pod_cidr, peer.external_cidr] {
        wanted.route(TABLE, network, route);
        wanted.rule_to(network);
    }
}

/// Why packets to these networks may not be taken away from the node: it would lose itself or the gateway.
fn obstacle(peer: &NodePeer, settings: &NodeSettings, gateway: Option<Ipv4Addr>) -> Option<String> {
    for network in [peer.pod_cidr, peer.external_cidr] {
        for (address, whose) in [(Some(settings.address), "this node"), (gateway, "the gateway")] {
            if let Some(address) = address.filter(|address| network.contains(address)) {
                return Some(format!("its network {network} holds the address {address} of {whose}"));
            }
        }
    }
    None
}
