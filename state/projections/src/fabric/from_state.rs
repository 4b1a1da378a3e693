//! The views of the fabric as they follow from the state.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use liqo_domain::addressing::{network, remapped};
use liqo_domain::{State, active_gateway};
use liqo_events::{ControlPlaneSettings, Facts, NodeFacts, TunnelSpec};
use liqo_model::{Kind, ObjectKey};

use super::{
    Endpoint, GatewaySettings, GatewayView, NodeGateway, NodePeer, NodeSettings, NodeView, OverlayNode, Peer,
    Vxlan,
};

/// UDP port on which the gateway's pod listens for tunnels; the Service in front of it may show another one.
const WIREGUARD_PORT: u16 = 5871;
/// What 0.8.3 sets unless it is told otherwise: it leaves room for WireGuard inside of an overlay of the network plugin.
const DEFAULT_MTU: u16 = 1340;
/// The overlay of 0.8.3.
const VXLAN: Vxlan = Vxlan { vni: 18952, port: 4879 };

/// What the gateway is to do.
pub fn gateway_view(state: &State) -> GatewayView {
    GatewayView {
        settings: settings(state),
        peers: tunnels(state).filter_map(peer).map(|peer| (peer.cluster_id.clone(), peer)).collect(),
        nodes: real_nodes(state)
            .filter_map(|(key, node)| {
                let node = OverlayNode { address: internal(node)?, pod_cidrs: pod_cidrs(node) };
                Some((key.name.clone(), node))
            })
            .collect(),
    }
}

/// What the agent of a node is to do. Nothing when there is no such node: its agent then goes on as it was told.
pub fn node_view(state: &State, name: &str) -> Option<NodeView> {
    let (_, node) = real_nodes(state).find(|(key, _)| key.name == name)?;
    let mtu = mtu(state.control_plane());
    let settings = internal(node).map(|address| NodeSettings { address, mtu, vxlan: VXLAN });
    let peers = tunnels(state).filter_map(peer).map(|peer| {
        (peer.cluster_id, NodePeer { pod_cidr: peer.pod_cidr, external_cidr: peer.external_cidr })
    });
    let gateway = active_gateway(state).map(|gateway| NodeGateway { address: gateway.address });
    Some(NodeView { settings, gateway, peers: peers.collect() })
}

fn settings(state: &State) -> Option<GatewaySettings> {
    let settings = state.control_plane()?;
    Some(GatewaySettings {
        cluster_id: state.identity.as_ref()?.body.id.clone(),
        pod_cidr: network(&settings.pod_cidr)?,
        mtu: mtu(Some(settings)),
        listen_port: WIREGUARD_PORT,
        vxlan: VXLAN,
    })
}

fn mtu(settings: Option<&ControlPlaneSettings>) -> u16 {
    settings.map(|settings| settings.mtu).filter(|mtu| *mtu > 0).unwrap_or(DEFAULT_MTU)
}

fn tunnels(state: &State) -> impl Iterator<Item = &TunnelSpec> {
    state.local(Kind::TunnelEndpoint).filter_map(|(_, object)| match &object.facts {
        Facts::TunnelEndpoint(facts) if !object.deleting => Some(&facts.spec),
        _ => None,
    })
}

/// A TunnelEndpoint that makes no sense is none.
fn peer(spec: &TunnelSpec) -> Option<Peer> {
    let named = |original: &str, nat: &str| network(original).and_then(|original| remapped(original, nat));
    let local_pods = network(&spec.local_pod_cidr)?;
    let seen_as = remapped(local_pods, &spec.local_nat_pod_cidr)?;
    Some(Peer {
        cluster_id: spec.cluster_id.clone(),
        cluster_name: spec.cluster_name.clone(),
        public_key: spec.public_key.clone(),
        endpoint: Endpoint { host: spec.endpoint.clone(), port: spec.port.parse().ok()? },
        pod_cidr: named(&spec.remote_pod_cidr, &spec.remote_nat_pod_cidr)?,
        external_cidr: named(&spec.remote_external_cidr, &spec.remote_nat_external_cidr)?,
        local_pod_cidr: Some(seen_as).filter(|seen_as| *seen_as != local_pods),
        local_external_cidr: named(&spec.local_external_cidr, &spec.local_nat_external_cidr)?,
        mappings: BTreeMap::new(),
    })
}

fn real_nodes(state: &State) -> impl Iterator<Item = (&ObjectKey, &NodeFacts)> {
    state.local(Kind::Node).filter_map(|(key, object)| match &object.facts {
        Facts::Node(node) if !node.is_virtual => Some((key, node)),
        _ => None,
    })
}

fn internal(node: &NodeFacts) -> Option<Ipv4Addr> {
    let mut internal = node.addresses.iter().filter(|(kind, _)| kind == "InternalIP");
    internal.find_map(|(_, address)| address.parse().ok())
}

fn pod_cidrs(node: &NodeFacts) -> Vec<Ipv4Net> {
    node.pod_cidrs.iter().filter_map(|cidr| network(cidr)).collect()
}
