//! Packets between two clusters with the same pod network: who reaches whom, and as whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod fixture;

use std::net::Ipv4Addr;

use fixture::{REMOTE_POD, WEB, connected, web_in_milan};
use liqo_network_tests::{AgentReport, SERVICE_AS_SEEN, Server, ping, reaches};

/// As whom a pod of the other cluster is seen.
const POD_AS_SEEN: Ipv4Addr = Ipv4Addr::new(10, 201, 0, 5);
/// As whom everything of the other cluster is seen that is no pod.
const OTHERS_AS_SEEN: Ipv4Addr = Ipv4Addr::new(10, 201, 0, 0);

#[test]
fn network_pods_of_overlapping_clusters_reach_each_other() {
    let Some(mut pair) = connected("network_pods_of_overlapping_clusters_reach_each_other") else { return };
    Server::start(&pair.rome.pod, WEB).unwrap();
    web_in_milan(&pair);
    for (name, here) in [("rome", &pair.rome), ("milan", &pair.milan)] {
        assert_eq!(reaches(&here.pod, REMOTE_POD, WEB).unwrap(), Some(POD_AS_SEEN), "from {name}'s pod");
        assert_eq!(reaches(&here.node, REMOTE_POD, WEB).unwrap(), Some(OTHERS_AS_SEEN), "from {name}'s node");
        ping(&here.pod, REMOTE_POD, 56).unwrap();
        ping(&here.node, REMOTE_POD, 56).unwrap();
    }
    // and each gateway knows how its peer is
    for (cluster, peer) in [(&mut pair.rome, "milan"), (&mut pair.milan, "rome")] {
        let of_peer = |report: &AgentReport| report.peers[peer].clone();
        // The first check waits for the handshake; later ones take what a packet takes.
        let quick =
            |report: &AgentReport| of_peer(report).latency_micros.is_some_and(|micros| micros < 100_000);
        let report = cluster.gateway().unwrap().wait_for("a quick check", quick).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        let peer = of_peer(&report);
        assert!(peer.has_handshake && peer.received_bytes > 0 && peer.sent_bytes > 0, "{peer:?}");
    }
}

#[test]
fn network_a_peer_reaches_what_is_mapped_and_nothing_else() {
    let Some(pair) = connected("network_a_peer_reaches_what_is_mapped_and_nothing_else") else { return };
    // given a Service of rome's node that is mapped, and servers that nobody offered
    Server::start(&pair.rome.node, 6443).unwrap();
    Server::start(&pair.rome.gateway, WEB).unwrap();
    Server::start(&pair.rome.node, WEB).unwrap();
    // then milan's pod reaches the first one, and rome sees its own gateway there
    let gateway = Ipv4Addr::new(10, 200, 1, 9);
    assert_eq!(reaches(&pair.milan.pod, SERVICE_AS_SEEN, 443).unwrap(), Some(gateway));
    // and the end of the tunnel answers to pings and to no other
    let end = Ipv4Addr::new(10, 82, 0, 1);
    ping(&pair.milan.pod, end, 56).unwrap();
    let unmapped = Ipv4Addr::new(10, 82, 0, 3);
    for (address, port) in [(end, WEB), (unmapped, 443), (unmapped, 6443)] {
        assert_eq!(reaches(&pair.milan.pod, address, port).unwrap(), None, "{address}:{port}");
    }
    assert!(ping(&pair.milan.pod, unmapped, 56).is_err());
}

#[test]
fn network_a_hostile_gateway_reaches_nothing_that_it_was_not_given() {
    let test = "network_a_hostile_gateway_reaches_nothing_that_it_was_not_given";
    let Some(mut pair) = connected(test) else { return };
    Server::start(&pair.rome.node, WEB).unwrap();
    Server::start(&pair.rome.pod, WEB).unwrap();
    // One that is not the address of the tunnel's other end, so that the tunnel itself goes on.
    pair.rome.node.run("ip addr add 172.19.1.1/32 dev lo").unwrap();
    let (node, pod) = (Ipv4Addr::new(172, 19, 1, 1), Ipv4Addr::new(10, 200, 0, 5));
    assert!(reaches(&pair.rome.gateway, node, WEB).unwrap().is_some());
    // given a gateway of milan that sends packets to rome by rome's own addresses
    for (network, target) in [("172.19.1.0/24", node), ("10.200.0.0/24", pod)] {
        let mut view = pair.milan.gateway_view(&pair.rome);
        let settings = view.settings.as_mut().unwrap();
        settings.pod_cidr = "10.210.0.0/16".parse().unwrap();
        let peer = view.peers.values_mut().next().unwrap();
        peer.external_cidr = network.parse().unwrap();
        pair.milan.order_gateway(&view).unwrap();
        pair.milan
            .gateway()
            .unwrap()
            .wait_for("the hostile view", |report| {
                report.problems.is_empty() && report.peers["rome"].status == "Connecting"
            })
            .unwrap();
        // then nothing of rome answers, neither the node nor a pod
        assert_eq!(reaches(&pair.milan.gateway, target, WEB).unwrap(), None, "{target}");
        // while what it was given is still there
        assert!(reaches(&pair.milan.gateway, REMOTE_POD, WEB).unwrap().is_some());
    }
}
