//! What somebody breaks by hand is put right, and what is right is left alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod fixture;

use fixture::{REMOTE_POD, WEB, connected, web_in_milan};
use liqo_network_tests::{Agent, AgentReport, Cluster, Pair, reaches};

/// Waits until an agent has done more repairs than `before`, and nothing is wrong any more.
fn repaired(agent: &mut Agent, before: &AgentReport, what: &str) {
    let is_repaired = |report: &AgentReport| report.repairs > before.repairs && report.problems.is_empty();
    agent.wait_for(&format!("a repair of: {what}"), is_repaired).unwrap();
}

/// Waits until milan's web server is reached from rome's pod, as it was before.
fn works(pair: &Pair, what: &str) {
    let tries = (0..20).find(|_| reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap().is_some());
    assert!(tries.is_some(), "nothing passes any more after: {what}");
}

#[test]
fn network_every_part_of_a_node_is_repaired() {
    let Some(mut pair) = connected("network_every_part_of_a_node_is_repaired") else { return };
    web_in_milan(&pair);
    for breakage in [
        "ip route del 10.201.0.0/16 table 18952",
        "ip route replace blackhole 10.201.0.0/16 table 18952",
        "ip route add 10.99.0.0/16 dev liqo.vxlan table 18952",
        "ip route flush table 18952",
        "ip rule del to 10.201.0.0/16 table 18952",
        "ip rule add from 10.9.0.0/16 to 10.8.0.0/16 priority 7 table 18952",
        "ip rule add to 10.8.0.0/16 fwmark 7 priority 8 table 18952",
        "ip neigh del 240.0.0.1 dev liqo.vxlan",
        "ip neigh replace 240.0.0.1 lladdr 02:00:00:00:00:01 dev liqo.vxlan nud permanent",
        "bridge fdb del 0a:58:f0:00:00:01 dev liqo.vxlan dst 10.200.1.9",
        "bridge fdb append 00:00:00:00:00:00 dev liqo.vxlan dst 10.200.0.5",
        "ip addr del 240.18.1.1/32 dev liqo.vxlan",
        "ip addr add 240.9.9.9/32 dev liqo.vxlan",
        "ip link set liqo.vxlan down",
        "ip link set liqo.vxlan mtu 1000",
        "ip link set liqo.vxlan address 02:00:00:00:00:02",
        "ip link set liqo.vxlan arp on",
        "ip link del liqo.vxlan",
        "ip link del liqo.vxlan; ip link add liqo.vxlan type vxlan id 7 dstport 4879 local 172.18.1.1",
    ] {
        let before = pair.rome.node().unwrap().last_report();
        pair.rome.node.run(breakage).unwrap();
        repaired(pair.rome.node().unwrap(), &before, breakage);
        works(&pair, breakage);
    }
    nothing_is_left(&pair.rome);
}

#[test]
fn network_every_part_of_a_gateway_is_repaired() {
    let Some(mut pair) = connected("network_every_part_of_a_gateway_is_repaired") else { return };
    web_in_milan(&pair);
    for breakage in [
        "nft delete table ip liqo",
        "nft flush chain ip liqo to-milan",
        "nft add rule ip liqo forward drop",
        "nft 'add element ip liqo map-milan { 10.82.0.9 : 10.80.0.9 }'",
        "ip route del 10.201.0.0/16 dev liqo.tunnel",
        "ip route del 10.200.0.0/24 table 18952",
        "ip rule del iif liqo.tunnel table 18952",
        "ip addr del 169.254.0.1/32 dev liqo.tunnel",
        "ip link set liqo.tunnel down",
        "ip link set liqo.vxlan down",
        "ip link del liqo.vxlan",
        "ip link del liqo.tunnel",
    ] {
        let before = pair.rome.gateway().unwrap().last_report();
        pair.rome.gateway.run(breakage).unwrap();
        repaired(pair.rome.gateway().unwrap(), &before, breakage);
        works(&pair, breakage);
    }
}

#[test]
fn network_settings_without_a_word_are_found_at_the_next_look() {
    let test = "network_settings_without_a_word_are_found_at_the_next_look";
    let Some(mut pair) = connected(test) else { return };
    web_in_milan(&pair);
    // given a setting that the kernel tells nobody about, so that nothing passes
    pair.rome.gateway.run("echo 0 > /proc/sys/net/ipv4/conf/liqo.vxlan/forwarding").unwrap();
    assert_eq!(reaches(&pair.rome.pod, REMOTE_POD, WEB).unwrap(), None);
    // when an order comes in, which makes the gateway look
    pair.order().unwrap();
    // then it passes again
    works(&pair, "forwarding was switched off");
}

#[test]
fn network_an_order_that_says_the_same_changes_nothing() {
    let Some(mut pair) = connected("network_an_order_that_says_the_same_changes_nothing") else { return };
    let steps = |report: &AgentReport| (report.changes, report.repairs);
    let agents = |pair: &mut Pair| {
        let (rome, milan) = (&mut pair.rome, &mut pair.milan);
        [rome.gateway().unwrap().last_report(), rome.node().unwrap().last_report()]
            .into_iter()
            .chain([milan.gateway().unwrap().last_report(), milan.node().unwrap().last_report()])
            .collect::<Vec<_>>()
    };
    let before = agents(&mut pair);
    assert!(before.iter().all(|report| report.changes > 5 && report.repairs == 0), "{before:?}");
    let position = before[0].applied;
    pair.order().unwrap();
    for cluster in [&mut pair.rome, &mut pair.milan] {
        cluster.gateway().unwrap().wait_for("a later position", |report| report.applied > position).unwrap();
        cluster.node().unwrap().wait_for("a later position", |report| report.applied > position).unwrap();
    }
    let after = agents(&mut pair);
    assert_eq!(after.iter().map(steps).collect::<Vec<_>>(), before.iter().map(steps).collect::<Vec<_>>());
}

/// What was put into our table and on our interface by others is gone.
fn nothing_is_left(cluster: &Cluster) {
    let state =
        "ip rule; ip route show table 18952; ip addr show dev liqo.vxlan; bridge fdb show dev liqo.vxlan";
    let state = cluster.node.run(state).unwrap();
    for strange in ["10.99.", "10.9.", "10.8.", "240.9.", "00:00:00:00:00:00", "blackhole"] {
        assert!(!state.contains(strange), "{strange} is left: {state}");
    }
}
