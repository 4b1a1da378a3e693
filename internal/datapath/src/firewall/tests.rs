//! Golden tables, and what nft lists for them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use liqo_projections::fabric::{Endpoint, GatewaySettings, Peer, Vxlan};

use super::*;

/// What `nft -j list table` wrote for the table of [`overlapping`] (nft 1.0.6).
const LISTED: &str = include_str!("listed.json");

fn settings() -> GatewaySettings {
    GatewaySettings {
        cluster_id: "rome".into(),
        pod_cidr: "10.200.0.0/16".parse().unwrap(),
        mtu: 1340,
        listen_port: 5871,
        vxlan: Vxlan { vni: 18952, port: 4879 },
    }
}

fn overlapping() -> Peer {
    Peer {
        cluster_id: "milan".into(),
        cluster_name: "milan".into(),
        public_key: String::new(),
        endpoint: Endpoint { host: "172.18.2.1".to_owned(), port: 5871 },
        pod_cidr: "10.201.0.0/16".parse().unwrap(),
        external_cidr: "10.82.0.0/16".parse().unwrap(),
        local_pod_cidr: Some("10.201.0.0/16".parse().unwrap()),
        local_external_cidr: "10.82.0.0/16".parse().unwrap(),
        mappings: [(Ipv4Addr::new(10, 82, 0, 2), Ipv4Addr::new(10, 80, 0, 1))].into(),
    }
}

fn distinct() -> Peer {
    Peer {
        cluster_id: "turin".into(),
        pod_cidr: "10.210.0.0/16".parse().unwrap(),
        external_cidr: "10.83.0.0/16".parse().unwrap(),
        local_pod_cidr: None,
        local_external_cidr: "10.84.0.0/16".parse().unwrap(),
        mappings: BTreeMap::new(),
        ..overlapping()
    }
}

/// The text without the digests.
fn text(table: &Table) -> String {
    let lines = table.to_string();
    let lines = lines.lines().map(|line| line.split(" comment \"").next().unwrap_or(line));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_peer_with_overlapping_networks_is_translated_address_by_address() {
    let expected = r#"table ip liqo
delete table ip liqo
table ip liqo {
	map map-milan {
		type ipv4_addr : ipv4_addr
		elements = { 10.82.0.1 : 169.254.0.1, 10.82.0.2 : 10.80.0.1 }
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		iifname "liqo.tunnel" ct state != { established, related, new } drop
		oifname { "liqo.vxlan", "liqo.tunnel" } tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
	}
	chain from-milan {
		ip daddr 10.201.0.0/16 dnat ip prefix to ip daddr map { 10.201.0.0/16 : 10.200.0.0/16 }
		ip daddr 10.82.0.0/16 dnat ip to ip daddr map @map-milan
		drop
	}
	chain input {
		type filter hook input priority 0; policy accept;
		iifname "liqo.tunnel" ct state established,related accept
		iifname "liqo.tunnel" ct state new udp dport 12345 accept
		iifname "liqo.tunnel" ct state new icmp type echo-request accept
		iifname "liqo.tunnel" drop
	}
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname "liqo.tunnel" ip daddr vmap { 10.201.0.0/16 : jump to-milan, 10.82.0.0/16 : jump to-milan }
		oifname "liqo.tunnel" drop
		iifname "liqo.tunnel" oifname != { "liqo.vxlan", "liqo.tunnel" } masquerade
	}
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		iifname "liqo.tunnel" ip saddr vmap { 10.201.0.0/16 : jump from-milan }
		iifname "liqo.tunnel" drop
	}
	chain to-milan {
		ip saddr 10.200.0.0/16 snat ip prefix to ip saddr map { 10.200.0.0/16 : 10.201.0.0/16 }
		snat ip to 10.201.0.0
	}
}
"#;
    assert_eq!(text(&of_gateway(&settings(), [&overlapping()])), expected);
}

#[test]
fn a_peer_with_distinct_networks_keeps_its_addresses() {
    let table = of_gateway(&settings(), [&distinct()]);
    let expected =
        ["ip daddr 10.200.0.0/16 accept", "ip daddr 10.84.0.0/16 dnat ip to ip daddr map @map-turin", "drop"];
    assert_eq!(table.chains["from-turin"].rules, expected);
    assert_eq!(table.chains["to-turin"].rules, ["ip saddr 10.200.0.0/16 accept", "snat ip to 10.200.0.0"]);
    assert_eq!(
        table.maps["map-turin"],
        [(Ipv4Addr::new(10, 84, 0, 1), Ipv4Addr::new(169, 254, 0, 1))].into()
    );
}

#[test]
fn without_peers_nothing_passes_the_tunnel() {
    let table = of_gateway(&settings(), []);
    assert_eq!(table.chains["prerouting"].rules, ["iifname \"liqo.tunnel\" drop"]);
    assert_eq!(table.chains["postrouting"].rules[0], "oifname \"liqo.tunnel\" drop");
}

#[test]
fn what_nft_lists_is_recognised() {
    let table = of_gateway(&settings(), [&overlapping()]);
    assert_eq!(Listing::parse(LISTED.as_bytes()).unwrap(), Listing::of(&table));
}

#[test]
fn every_edit_by_hand_is_noticed() {
    let wanted = Listing::of(&of_gateway(&settings(), [&overlapping()]));
    for (from, to) in [
        // A rule that was replaced has no comment any more, or that of another rule.
        (r#""comment": ""#, r#""comment": "0"#),
        // An element that leads elsewhere.
        (r#"["10.82.0.2", "10.80.0.1"]"#, r#"["10.82.0.2", "10.80.0.9"]"#),
        (r#""policy": "accept""#, r#""policy": "drop""#),
        (r#""prio": 100"#, r#""prio": 90"#),
        (r#"{"metainfo""#, r#"{"chain": {"name": "extra"}}, {"metainfo""#),
        (r#"{"metainfo""#, r#"{"set": {"name": "extra"}}, {"metainfo""#),
    ] {
        let edited = LISTED.replacen(from, to, 1);
        assert_ne!(edited, LISTED, "{from}");
        assert_ne!(Listing::parse(edited.as_bytes()).unwrap(), wanted, "{from}");
    }
}

#[test]
fn connections_are_forgotten_when_a_translation_is_gone_and_not_when_one_is_new() {
    let of = |peers: &[Peer]| Listing::of(&of_gateway(&settings(), peers));
    let one = of(&[overlapping()]);
    let both = of(&[overlapping(), distinct()]);
    assert!(!one.loses_something_in(&both));
    assert!(both.loses_something_in(&one));
    assert!(!one.loses_something_in(&one));
    let renamed = Peer { local_pod_cidr: Some("10.220.0.0/16".parse().unwrap()), ..overlapping() };
    assert!(one.loses_something_in(&of(&[renamed])));
    let unmapped = Peer { mappings: BTreeMap::new(), ..overlapping() };
    assert!(one.loses_something_in(&of(&[unmapped])));
}
