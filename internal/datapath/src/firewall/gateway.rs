//! The rules of the gateway.
//!
//! Names as in the views: RP and RE are a peer's networks as this cluster names them, LP is the network of our pods, LN
//! what the peer calls it, LX what it calls the rest that we offer.
//!
//! | packet | translation |
//! |---|---|
//! | from the tunnel, RP to LN | destination to LP, address by address |
//! | from the tunnel, RP to LX | destination by the peer's map; not in the map: dropped |
//! | from the tunnel, anything else new | dropped |
//! | into the tunnel, from LP | source to LN, address by address |
//! | into the tunnel, from elsewhere | source to the first address of LN |
//! | from the tunnel to neither tunnel nor overlay | source to the gateway's own, which the network plugin knows |

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use liqo_projections::fabric::{GatewaySettings, Peer};

use super::table::{Chain, Hook, Table};
use crate::check;
use crate::network::{Interface, TUNNEL_ADDRESS};

/// The rules for these peers, which must not share networks.
pub(crate) fn of_gateway<'a>(settings: &GatewaySettings, peers: impl IntoIterator<Item = &'a Peer>) -> Table {
    let mut table = Table::default();
    let (mut sources, mut destinations) = (Vec::new(), Vec::new());
    for peer in peers {
        let (inward, outward, map) = names(peer);
        sources.push(format!("{} : jump {inward}", peer.pod_cidr));
        destinations.push(format!("{} : jump {outward}", peer.pod_cidr));
        destinations.push(format!("{} : jump {outward}", peer.external_cidr));
        table.chains.insert(inward, from_peer(settings.pod_cidr, peer, &map));
        table.chains.insert(outward, to_peer(settings.pod_cidr, peer));
        table.maps.insert(map, mappings(peer));
    }
    let (tunnel, overlay) = (Interface::Tunnel.name(), Interface::Overlay.name());
    let from = format!("iifname \"{tunnel}\"");
    let ours = format!("{{ \"{overlay}\", \"{tunnel}\" }}");
    let mut hooked =
        |name: &str, hook, rules| table.chains.insert(name.to_owned(), Chain { hook: Some(hook), rules });
    hooked("prerouting", Hook::Prerouting, vmap(&from, "saddr", &sources, "drop"));
    hooked("input", Hook::Input, input(&from));
    hooked("forward", Hook::Forward, forward(&from, &ours));
    let mut postrouting = vmap(&format!("oifname \"{tunnel}\""), "daddr", &destinations, "drop");
    postrouting.push(format!("{from} oifname != {ours} masquerade"));
    hooked("postrouting", Hook::Postrouting, postrouting);
    table
}

/// Chain of packets from a peer, chain of packets to it, and its map.
fn names(peer: &Peer) -> (String, String, String) {
    let id = &peer.cluster_id;
    (format!("from-{id}"), format!("to-{id}"), format!("map-{id}"))
}

/// Dispatch by an address, and what becomes of packets that fit no entry.
fn vmap(packets: &str, address: &str, entries: &[String], otherwise: &str) -> Vec<String> {
    let mut rules = Vec::new();
    if !entries.is_empty() {
        rules.push(format!("{packets} ip {address} vmap {{ {} }}", entries.join(", ")));
    }
    rules.push(format!("{packets} {otherwise}"));
    rules
}

fn from_peer(pods: Ipv4Net, peer: &Peer, map: &str) -> Chain {
    let to_pods = match peer.local_pod_cidr {
        Some(named) => format!("ip daddr {named} dnat ip prefix to ip daddr map {{ {named} : {pods} }}"),
        None => format!("ip daddr {pods} accept"),
    };
    let offered = format!("ip daddr {} dnat ip to ip daddr map @{map}", peer.local_external_cidr);
    Chain { hook: None, rules: vec![to_pods, offered, "drop".to_owned()] }
}

fn to_peer(pods: Ipv4Net, peer: &Peer) -> Chain {
    let from_pods = match peer.local_pod_cidr {
        Some(named) => format!("ip saddr {pods} snat ip prefix to ip saddr map {{ {pods} : {named} }}"),
        None => format!("ip saddr {pods} accept"),
    };
    let from_others = format!("snat ip to {}", peer.local_pod_cidr.unwrap_or(pods).network());
    Chain { hook: None, rules: vec![from_pods, from_others] }
}

/// The map of a peer. The first address always stands for the end of the tunnel, which connection checks ask.
fn mappings(peer: &Peer) -> BTreeMap<Ipv4Addr, Ipv4Addr> {
    let mut mappings = peer.mappings.clone();
    mappings.insert(check::address_in(peer.local_external_cidr), TUNNEL_ADDRESS);
    mappings
}

/// A peer may check the connection and ping, and nothing else of the gateway itself.
fn input(from: &str) -> Vec<String> {
    vec![
        format!("{from} ct state established,related accept"),
        format!("{from} ct state new udp dport {} accept", check::PORT),
        format!("{from} ct state new icmp type echo-request accept"),
        format!("{from} drop"),
    ]
}

/// What is new has passed `prerouting`; what belongs to no connection has not. Segments never get longer than the tunnel
/// takes, whatever the pods believe.
fn forward(from: &str, ours: &str) -> Vec<String> {
    vec![
        format!("{from} ct state != {{ established, related, new }} drop"),
        format!("oifname {ours} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"),
    ]
}
