//! What is wanted of the kernel, and the steps there.

use liqo_projections::fabric::{
    Endpoint, GatewaySettings, NodeGateway, NodePeer, NodeSettings, NodeView, OverlayNode, Peer, Vxlan,
};
use proptest::prelude::*;

use super::*;
use crate::overlay;

const VXLAN: Vxlan = Vxlan { vni: 18952, port: 4879 };

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn node_view() -> NodeView {
    NodeView {
        settings: Some(NodeSettings { address: ip("172.18.1.2"), mtu: 1340, vxlan: VXLAN }),
        gateway: Some(NodeGateway { address: ip("10.200.1.9") }),
        peers: [(
            "milan".into(),
            NodePeer { pod_cidr: net("10.201.0.0/16"), external_cidr: net("10.82.0.0/16") },
        )]
        .into(),
    }
}

fn peer() -> Peer {
    Peer {
        cluster_id: "milan".into(),
        cluster_name: "milan".into(),
        public_key: String::new(),
        endpoint: Endpoint { host: "172.18.2.1".to_owned(), port: 5871 },
        pod_cidr: net("10.201.0.0/16"),
        external_cidr: net("10.82.0.0/16"),
        local_pod_cidr: None,
        local_external_cidr: net("10.82.0.0/16"),
        mappings: BTreeMap::new(),
    }
}

fn of_rome(nodes: &[(&str, &str, &str)]) -> Wanted {
    let settings = GatewaySettings {
        cluster_id: "rome".into(),
        pod_cidr: net("10.200.0.0/16"),
        mtu: 1340,
        listen_port: 5871,
        vxlan: VXLAN,
    };
    let nodes: BTreeMap<String, OverlayNode> = nodes
        .iter()
        .map(|(name, address, pods)| {
            ((*name).to_owned(), OverlayNode { address: ip(address), pod_cidrs: vec![net(pods)] })
        })
        .collect();
    of_gateway(&settings, ip("10.200.1.9"), [&peer()], &nodes)
}

fn lines(ops: &[Op]) -> Vec<String> {
    ops.iter().map(ToString::to_string).collect()
}

#[test]
fn a_new_node_gets_an_end_of_the_overlay_and_ways_to_the_peers() {
    let wanted = of_node(&node_view()).unwrap();
    let expected = [
        "add link liqo.vxlan type vxlan id 18952 local 172.18.1.2 dstport 4879",
        "set link liqo.vxlan arp off",
        "set link liqo.vxlan forwarding on",
        "set link liqo.vxlan rp_filter loose",
        "set link liqo.vxlan up",
        "add address 240.18.1.2/32 dev liqo.vxlan",
        "put forward 0a:58:f0:00:00:01 dst 10.200.1.9",
        "put neighbour 240.0.0.1 lladdr 0a:58:f0:00:00:01 dev liqo.vxlan",
        "add route 10.82.0.0/16 table 18952 via 240.0.0.1 dev liqo.vxlan src 240.18.1.2",
        "add route 10.201.0.0/16 table 18952 via 240.0.0.1 dev liqo.vxlan src 240.18.1.2",
        "add rule 90: to 10.82.0.0/16",
        "add rule 90: to 10.201.0.0/16",
    ];
    assert_eq!(lines(&plan(&wanted.network, &Network::default())), expected);
    assert_eq!(wanted.problems, Vec::<String>::new());
    assert_eq!(plan(&wanted.network, &wanted.network), []);
}

#[test]
fn a_gateway_that_moved_changes_one_entry() {
    let before = of_node(&node_view()).unwrap();
    let moved = NodeView { gateway: Some(NodeGateway { address: ip("10.200.0.7") }), ..node_view() };
    let ops = plan(&of_node(&moved).unwrap().network, &before.network);
    assert_eq!(lines(&ops), ["put forward 0a:58:f0:00:00:01 dst 10.200.0.7"]);
}

#[test]
fn without_a_gateway_packets_to_peers_go_nowhere_else() {
    let before = of_node(&node_view()).unwrap();
    let ops = plan(&of_node(&NodeView { gateway: None, ..node_view() }).unwrap().network, &before.network);
    let expected =
        ["delete neighbour 240.0.0.1 dev liqo.vxlan", "delete forward 0a:58:f0:00:00:01 dst 10.200.1.9"];
    assert_eq!(lines(&ops), expected);
}

#[test]
fn a_peer_that_is_gone_takes_its_rules_before_its_routes() {
    let before = of_node(&node_view()).unwrap();
    let view = NodeView { peers: BTreeMap::new(), ..node_view() };
    let expected = [
        "delete rule 90: to 10.82.0.0/16",
        "delete rule 90: to 10.201.0.0/16",
        "delete route 10.82.0.0/16 table 18952 via 240.0.0.1 dev liqo.vxlan src 240.18.1.2",
        "delete route 10.201.0.0/16 table 18952 via 240.0.0.1 dev liqo.vxlan src 240.18.1.2",
    ];
    assert_eq!(lines(&plan(&of_node(&view).unwrap().network, &before.network)), expected);
}

#[test]
fn a_peer_whose_network_holds_the_node_is_refused() {
    let mut view = node_view();
    view.peers.insert(
        "turin".into(),
        NodePeer { pod_cidr: net("172.0.0.0/8"), external_cidr: net("10.90.0.0/16") },
    );
    let wanted = of_node(&view).unwrap();
    assert_eq!(wanted.network, of_node(&node_view()).unwrap().network);
    let problem = "peer turin: its network 172.0.0.0/8 holds the address 172.18.1.2 of this node";
    assert_eq!(wanted.problems, [problem]);
}

#[test]
fn a_new_gateway_waits_for_its_tunnel() {
    // given a pod with its interface, and nobody who holds the tunnel
    let wanted = of_rome(&[("rome-worker", "172.18.1.2", "10.200.1.0/24")]);
    let pod = Link { forwarding: Some(false), ..wanted.network.links[&Interface::Uplink] };
    let mut actual = Network { links: [(Interface::Uplink, pod)].into(), ..Network::default() };
    // when it is planned, then everything but the tunnel is made
    let expected = [
        "add link liqo.vxlan type vxlan id 18952 local 10.200.1.9 dstport 4879",
        "set link liqo.vxlan arp off",
        "set link liqo.vxlan forwarding on",
        "set link liqo.vxlan rp_filter loose",
        "set link liqo.vxlan up",
        "set link uplink forwarding on",
        "add address 240.0.0.1/32 dev liqo.vxlan",
        "put forward 0a:58:ac:12:01:02 dst 172.18.1.2",
        "put neighbour 240.18.1.2 lladdr 0a:58:ac:12:01:02 dev liqo.vxlan",
        "add route 240.18.1.2/32 table 254 dev liqo.vxlan",
        "add route 10.200.1.0/24 table 18952 via 240.18.1.2 dev liqo.vxlan",
        "add rule 90: iif liqo.tunnel",
    ];
    assert_eq!(lines(&plan(&wanted.network, &actual)), expected);
    // and when the tunnel is there, then the rest follows
    actual = wanted.network.clone();
    let tunnel = Link { mtu: Some(1500), up: Some(false), ..actual.links[&Interface::Tunnel] };
    actual.links.insert(Interface::Tunnel, tunnel);
    actual.routes.retain(|_, route| route.link != Some(Interface::Tunnel));
    actual.addresses.retain(|(link, _)| *link != Interface::Tunnel);
    let expected = [
        "set link liqo.tunnel mtu 1340",
        "set link liqo.tunnel up",
        "add address 169.254.0.1/32 dev liqo.tunnel",
        "add route 10.82.0.0/16 table 254 dev liqo.tunnel",
        "add route 10.201.0.0/16 table 254 dev liqo.tunnel",
    ];
    assert_eq!(lines(&plan(&wanted.network, &actual)), expected);
}

#[test]
fn an_overlay_of_another_kind_is_made_anew_with_all_that_is_on_it() {
    let wanted = of_node(&node_view()).unwrap();
    let mut actual = wanted.network.clone();
    let other = Link {
        kind: LinkKind::Vxlan { vni: 18952, port: 4879, local: ip("172.18.1.3") },
        ..actual.links[&Interface::Overlay]
    };
    actual.links.insert(Interface::Overlay, other);
    let ops = plan(&wanted.network, &actual);
    assert_eq!(ops[0], Op::DeleteLink(Interface::Overlay));
    // The rules are not on the link and stay.
    let fresh = Network { rules: actual.rules.clone(), ..Network::default() };
    assert_eq!(ops[1..], plan(&wanted.network, &fresh));
}

#[test]
fn nodes_with_the_same_end_of_the_address_are_told_apart_by_saying_so() {
    let wanted = of_rome(&[("a", "10.18.1.2", "10.200.0.0/24"), ("b", "172.18.1.2", "10.200.1.0/24")]);
    assert_eq!(wanted.problems, ["node b: its address 172.18.1.2 ends like that of another node"]);
    assert_eq!(wanted.network, of_rome(&[("a", "10.18.1.2", "10.200.0.0/24")]).network);
    let odd = of_rome(&[("c", "0.0.0.1", "10.200.0.0/24")]);
    assert_eq!(odd.network, of_rome(&[]).network);
}

/// The kernel, as far as a plan can tell.
fn apply(network: &mut Network, op: &Op) {
    match op.clone() {
        Op::CreateLink(interface, link) => {
            let fresh = Link {
                up: Some(false),
                arp: Some(true),
                forwarding: Some(false),
                loose: Some(false),
                ..link
            };
            assert_eq!(network.links.insert(interface, fresh), None);
        }
        Op::DeleteLink(interface) => {
            network.links.remove(&interface).unwrap();
            network.addresses.retain(|(on, _)| *on != interface);
            network.neighbours.retain(|(on, _), _| *on != interface);
            network.routes.retain(|_, route| route.link != Some(interface));
            network.forwards.clear();
        }
        Op::ChangeLink(interface, change) => {
            let link = network.links.get_mut(&interface).unwrap();
            match change {
                LinkChange::Mtu(mtu) => link.mtu = Some(mtu),
                LinkChange::Mac(mac) => link.mac = Some(mac),
                LinkChange::ArpOff => link.arp = Some(false),
                LinkChange::Up => link.up = Some(true),
                LinkChange::Forwarding => link.forwarding = Some(true),
                LinkChange::Loose => link.loose = Some(true),
            }
        }
        Op::AddAddress(interface, address) => assert!(network.addresses.insert((interface, address))),
        Op::DeleteAddress(interface, address) => assert!(network.addresses.remove(&(interface, address))),
        Op::AddRoute(key, route) => assert_eq!(network.routes.insert(key, route), None),
        Op::ReplaceRoute(key, route) => assert!(network.routes.insert(key, route).is_some()),
        Op::DeleteRoute(key, _) => drop(network.routes.remove(&key).unwrap()),
        Op::AddRule(rule) => assert!(network.rules.insert(rule)),
        Op::DeleteRule(rule) => assert!(network.rules.remove(&rule)),
        Op::PutNeighbour(interface, address, mac) => {
            network.neighbours.insert((interface, address), mac);
        }
        Op::DeleteNeighbour(interface, address) => {
            network.neighbours.remove(&(interface, address)).unwrap();
        }
        Op::PutForward(mac, to) => {
            network.forwards.retain(|(known, _)| *known != mac);
            network.forwards.insert((mac, to));
        }
        Op::DeleteForward(mac, to) => assert!(network.forwards.remove(&(mac, to))),
    }
}

fn networks() -> impl Strategy<Value = Network> {
    let nodes = proptest::collection::btree_map("[a-c]", (1_u8..4, 0_u8..3), 0..3);
    (nodes, 1_u8..3, 1300_u16..1302, any::<bool>()).prop_map(|(nodes, gateway, mtu, is_node)| {
        if is_node {
            let settings = NodeSettings { address: Ipv4Addr::new(172, 18, 1, gateway), mtu, vxlan: VXLAN };
            return of_node(&NodeView { settings: Some(settings), ..node_view() }).unwrap().network;
        }
        let named: Vec<(String, String, String)> = nodes
            .into_iter()
            .map(|(name, (address, pods))| {
                (name, format!("172.18.1.{address}"), format!("10.200.{pods}.0/24"))
            })
            .collect();
        let nodes: Vec<(&str, &str, &str)> =
            named.iter().map(|(name, address, pods)| (&**name, &**address, &**pods)).collect();
        of_rome(&nodes).network
    })
}

proptest! {
    #[test]
    fn a_plan_leads_to_what_is_desired_and_a_second_one_is_empty(desired in networks(), found in networks()) {
        let mut actual = found;
        // The tunnel and the uplink are made by others.
        for interface in [Interface::Tunnel, Interface::Uplink] {
            if let Some(link) = desired.links.get(&interface) {
                actual.links.insert(interface, Link { forwarding: Some(false), ..*link });
            }
        }
        for op in plan(&desired, &actual) {
            apply(&mut actual, &op);
        }
        prop_assert_eq!(plan(&desired, &actual), []);
        actual.links.retain(|interface, _| desired.links.contains_key(interface));
        prop_assert_eq!(actual, desired);
    }
}

#[test]
fn the_overlay_address_of_the_gateway_is_no_nodes() {
    assert_eq!(overlay::address_of(ip("0.0.0.1")), overlay::GATEWAY);
}
