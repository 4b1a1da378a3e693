//! Starts, crashes, and peers that come and go.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod fixture;

use std::net::Ipv4Addr;

use fixture::{REMOTE_POD, WEB, connected, web_in_milan};
use liqo_network_tests::{AgentReport, Conversation, copy, ping, reaches};

#[test]
fn network_a_gateway_that_was_killed_goes_on_while_control_is_away() {
    let test = "network_a_gateway_that_was_killed_goes_on_while_control_is_away";
    let Some(mut pair) = connected(test) else { return };
    let web = web_in_milan(&pair);
    let mut conversation = Conversation::start(&pair.rome.pod, web).unwrap();
    conversation.say(b"before").unwrap();
    // when rome's gateway and node agent are killed
    pair.rome.gateway_agent.take().unwrap().kill().unwrap();
    pair.rome.node_agent.take().unwrap().kill().unwrap();
    // and started again without anybody who tells them what to do
    let connected =
        |report: &AgentReport| report.peers.get("milan").is_some_and(|peer| peer.status == "Connected");
    let report = pair.rome.start_gateway().unwrap().wait_for("a connected peer", connected).unwrap();
    assert!(!report.current && report.applied.is_some(), "{report:?}");
    let report =
        pair.rome.start_node().unwrap().wait_for("a view", |report| report.applied.is_some()).unwrap();
    // then the node's kernel needed nothing, new connections come about, and the old one goes on
    assert_eq!((report.changes, report.repairs, report.current), (0, 0, false));
    assert!(reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap().is_some());
    conversation.say(b"after").unwrap();
}

#[test]
fn network_a_node_forwards_while_its_agent_is_away() {
    let Some(mut pair) = connected("network_a_node_forwards_while_its_agent_is_away") else { return };
    web_in_milan(&pair);
    pair.rome.node_agent.take().unwrap().kill().unwrap();
    assert!(reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap().is_some());
}

#[test]
fn network_a_peer_that_is_gone_is_forgotten_and_can_come_back() {
    let Some(mut pair) = connected("network_a_peer_that_is_gone_is_forgotten_and_can_come_back") else {
        return;
    };
    let web = web_in_milan(&pair);
    let mut conversation = Conversation::start(&pair.rome.pod, web).unwrap();
    // when rome's gateway is told that there is no peer
    let mut view = pair.rome.gateway_view(&pair.milan);
    let peers = std::mem::take(&mut view.peers);
    pair.rome.order_gateway(&view).unwrap();
    let gone = |report: &AgentReport| report.peers.is_empty() && report.problems.is_empty();
    pair.rome.gateway().unwrap().wait_for("no peer", gone).unwrap();
    // then nothing passes any more, and nothing of the peer is left
    assert_eq!(reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap(), None);
    let left = pair.rome.gateway.run("nft list table ip liqo; ip route").unwrap();
    assert!(!left.contains("milan") && !left.contains("10.201."), "{left}");
    // and when it is told of it again, then even the old connection goes on
    view.peers = peers;
    pair.rome.order_gateway(&view).unwrap();
    pair.connected().unwrap();
    conversation.say(b"again").unwrap();
}

#[test]
fn network_a_translation_that_changes_is_felt_at_once() {
    let Some(mut pair) = connected("network_a_translation_that_changes_is_felt_at_once") else { return };
    web_in_milan(&pair);
    // given both clusters that rename rome's pods from 10.201 to 10.211 while checks go on
    let renamed = "10.211.0.0/16".parse().unwrap();
    let mut rome = pair.rome.gateway_view(&pair.milan);
    rome.peers.values_mut().for_each(|peer| peer.local_pod_cidr = Some(renamed));
    let mut milan = pair.milan.gateway_view(&pair.rome);
    milan.peers.values_mut().for_each(|peer| peer.pod_cidr = renamed);
    let mut node = pair.milan.node_view(&pair.rome);
    node.peers.values_mut().for_each(|peer| peer.pod_cidr = renamed);
    let before =
        [&mut pair.rome, &mut pair.milan].map(|cluster| cluster.gateway().unwrap().last_report().applied);
    pair.rome.order_gateway(&rome).unwrap();
    pair.milan.order_gateway(&milan).unwrap();
    pair.milan.order_node(&node).unwrap();
    for (cluster, before) in [&mut pair.rome, &mut pair.milan].into_iter().zip(before) {
        let is_done = |report: &AgentReport| report.applied > before;
        cluster.gateway().unwrap().wait_for("the renaming", is_done).unwrap();
    }
    // then milan sees rome's pod by the new name, and checks go on
    let seen = (0..10).find_map(|_| reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap());
    assert_eq!(seen, Some(Ipv4Addr::new(10, 211, 0, 5)));
    for (cluster, peer) in [(&mut pair.rome, "milan"), (&mut pair.milan, "rome")] {
        let sent = cluster.gateway().unwrap().last_report().peers[peer].received_bytes;
        let goes_on = |report: &AgentReport| {
            let peer = &report.peers[peer];
            peer.status == "Connected" && peer.received_bytes > sent + 400
        };
        cluster.gateway().unwrap().wait_for("checks that go on", goes_on).unwrap();
    }
}

/// Bytes of the option that every segment has.
const TIMESTAMPS: u32 = 12;

#[test]
fn network_large_transfers_pass_paths_of_any_width() {
    let Some(pair) = connected("network_large_transfers_pass_paths_of_any_width") else { return };
    let web = web_in_milan(&pair);
    // 1400 bytes are just enough for a packet of 1340 bytes in the tunnel; with 1300 it has to be split on the way.
    for width in [1500, 1400, 1300] {
        for cluster in [&pair.rome, &pair.milan] {
            cluster.node.run(&format!("ip link set eth0 mtu {width}")).unwrap();
        }
        copy(&pair.rome.pod, web, 1 << 20).unwrap();
        // 28 bytes of headers: the longest packet passes, and one that is longer is refused with a word why.
        ping(&pair.rome.pod, REMOTE_POD, 1340 - 28).unwrap();
        assert!(ping(&pair.rome.pod, REMOTE_POD, 1340 - 27).is_err());
    }
    // A connection never learns that the way is narrower than its own link: its segments were cut from the beginning.
    let conversation = Conversation::start(&pair.rome.pod, web).unwrap();
    assert_eq!(conversation.segment().unwrap(), 1340 - 20 - 20 - TIMESTAMPS);
    copy(&pair.rome.node, web, 1 << 20).unwrap();
}
