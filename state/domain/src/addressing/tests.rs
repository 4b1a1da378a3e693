//! Networks that are kept, remapped and refused; what 0.8.3 gives for the same.

use proptest::prelude::*;

use super::*;

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn space(taken: &[&str]) -> AddressSpace {
    let mut space = AddressSpace::default();
    taken.iter().for_each(|text| space.take(net(text)));
    space
}

/// What a peer with these networks gets, as text.
fn given(space: &mut AddressSpace, pods: &str, external: &str) -> Option<(String, String)> {
    let given = space.take_peer(net(pods), net(external))?;
    Some((given.pods.to_string(), given.external.to_string()))
}

fn both(pods: &str, external: &str) -> Option<(String, String)> {
    Some((pods.to_owned(), external.to_owned()))
}

/// Blocks of a pool that fill it but for one.
fn full_but(pool: &str, free: &str) -> Vec<String> {
    let (pool, free) = (net(pool), net(free));
    let blocks = pool.subnets(free.prefix_len()).unwrap();
    blocks.filter(|block| *block != free).map(|block| block.to_string()).collect()
}

#[test]
fn two_clusters_with_the_same_networks_name_each_other_as_recorded() {
    // given rome and milan, both with pods in 10.200/16 and services in 10.80/16
    let mut rome = space(&["10.200.0.0/16", "10.80.0.0/16"]);
    assert_eq!(rome.take_external(16), Some(net("10.81.0.0/16")));
    // when they meet, then the recorded pair of 0.8.3 came to the same
    assert_eq!(given(&mut rome, "10.200.0.0/16", "10.81.0.0/16"), both("10.201.0.0/16", "10.82.0.0/16"));
}

#[test]
fn the_external_network_is_as_long_as_that_of_the_pods_and_beside_it() {
    let mut space = space(&["10.0.0.0/24"]);
    assert_eq!(space.take_external(24), Some(net("10.0.1.0/24")));
    assert_eq!(AddressSpace::default().take_external(24), Some(net("10.0.0.0/24")));
}

#[test]
fn an_external_network_may_be_longer_where_none_of_that_length_is_left() {
    assert_eq!(space(&["10.0.0.0/8"]).take_external(8), Some(net("172.16.0.0/13")));
    assert_eq!(space(&["10.0.0.0/8", "172.0.0.0/8", "192.0.0.0/8"]).take_external(8), None);
}

#[test]
fn a_network_outside_of_the_pools_is_kept_until_somebody_has_it() {
    let mut space = AddressSpace::default();
    assert_eq!(given(&mut space, "11.0.0.0/16", "11.1.0.0/16"), both("11.0.0.0/16", "11.1.0.0/16"));
    assert_eq!(given(&mut space, "11.0.0.0/16", "11.1.0.0/16"), both("10.0.0.0/16", "10.1.0.0/16"));
}

#[test]
fn a_network_in_a_pool_is_kept_until_somebody_has_it() {
    let mut space = AddressSpace::default();
    assert_eq!(given(&mut space, "10.4.0.0/16", "10.9.0.0/24"), both("10.4.0.0/16", "10.9.0.0/24"));
    let second = given(&mut space, "10.4.0.0/16", "10.9.0.0/24");
    assert_eq!(second, both("10.5.0.0/16", "10.9.1.0/24"), "the smallest free block that fits");
}

#[test]
fn what_contains_or_lies_in_something_taken_is_remapped_and_the_rest_kept() {
    for asked in ["10.0.0.0/16", "10.0.0.0/15", "10.0.1.0/24"] {
        let (pods, external) = given(&mut space(&["10.0.0.0/16"]), asked, "11.0.0.0/24").unwrap();
        assert_ne!(pods, asked);
        assert_eq!(net(&pods).prefix_len(), net(asked).prefix_len());
        assert_eq!(external, "11.0.0.0/24");
    }
}

#[test]
fn a_whole_pool_is_taken_only_when_the_others_are_full() {
    let mut roomy = AddressSpace::default();
    assert_eq!(given(&mut roomy, "172.16.0.0/12", "11.0.0.0/24"), both("10.0.0.0/12", "11.0.0.0/24"));
    let mut full = space(&["10.0.0.0/8", "192.168.0.0/16"]);
    assert_eq!(given(&mut full, "172.16.0.0/12", "11.0.0.0/24"), both("172.16.0.0/12", "11.0.0.0/24"));
    let mut used = space(&["10.0.0.0/8", "192.168.0.0/16", "172.16.3.0/24"]);
    assert_eq!(given(&mut used, "172.16.0.0/12", "11.0.0.0/24"), None);
}

#[test]
fn a_pool_that_is_reserved_sends_its_networks_to_the_others() {
    let mut space = space(&["10.0.0.0/8"]);
    assert_eq!(given(&mut space, "10.1.0.0/16", "10.2.0.0/24"), both("172.16.0.0/16", "192.168.0.0/24"));
}

#[test]
fn nothing_is_kept_of_a_peer_of_which_one_network_finds_no_place() {
    let taken = full_but("10.0.0.0/8", "10.128.0.0/9");
    let mut space = space(&taken.iter().map(String::as_str).collect::<Vec<_>>());
    let before = space.clone();
    assert_eq!(given(&mut space, "10.0.0.0/9", "10.0.0.0/9"), None);
    assert_eq!(space, before);
    assert_eq!(given(&mut space, "10.0.0.0/9", "11.0.0.0/24"), both("10.128.0.0/9", "11.0.0.0/24"));
    assert_eq!(given(&mut space, "10.0.0.0/9", "11.0.1.0/24"), None, "there is no other of that length");
}

#[test]
fn full_pools_refuse() {
    let mut space = space(&["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"]);
    assert_eq!(given(&mut space, "10.3.0.0/16", "11.0.0.0/24"), None);
    assert_eq!(given(&mut space, "0.0.0.0/0", "11.0.0.0/24"), None);
}

#[test]
fn addresses_are_carried_over_as_by_0_8_3() {
    for (into, address, expected) in [
        ("10.0.4.0/24", "10.2.1.3", "10.0.4.3"),
        ("10.0.128.0/23", "10.2.127.128", "10.0.129.128"),
        ("10.0.127.0/23", "10.2.128.128", "10.0.127.128"),
        ("10.0.126.0/25", "10.2.128.128", "10.0.126.0"),
    ] {
        let carried = carried_over(net(into), address.parse().unwrap());
        assert_eq!(carried.to_string(), expected, "{address} into {into}");
    }
    assert_eq!(tunnel_address(net("10.82.0.0/16")).to_string(), "10.82.0.1");
}

#[test]
fn a_remapping_of_another_length_or_of_no_sense_is_none() {
    let pods = net("10.200.0.0/16");
    assert_eq!(remapped(pods, "None"), Some(pods));
    assert_eq!(remapped(pods, "10.201.0.0/16"), Some(net("10.201.0.0/16")));
    for text in ["", "none", "10.201.0.0/24", "fd00::/16", "10.201.0.0"] {
        assert_eq!(remapped(pods, text), None, "{text:?}");
    }
    assert_eq!(remapping(pods, pods), "None");
    assert_eq!(remapping(pods, net("10.201.0.0/16")), "10.201.0.0/16");
}

fn some_network() -> impl Strategy<Value = Ipv4Net> {
    let first = prop::sample::select(vec![10_u8, 11, 172, 192]);
    (first, prop::sample::select(vec![0_u8, 16, 31, 168]), 0..4_u8, 8..27_u8)
        .prop_map(|(a, b, c, length)| Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), length).unwrap().trunc())
}

proptest! {
    #[test]
    fn nothing_is_ever_given_twice(asked in proptest::collection::vec((some_network(), some_network()), 0..12)) {
        let mut space = space(&["10.0.0.0/16", "10.16.0.0/16"]);
        let mut all = space.taken.clone();
        for (pods, external) in asked {
            let Some(given) = space.take_peer(pods, external) else { continue };
            prop_assert_eq!(given.pods.prefix_len(), pods.prefix_len());
            prop_assert_eq!(given.external.prefix_len(), external.prefix_len());
            for new in [given.pods, given.external] {
                prop_assert!(!all.iter().any(|old| overlap(*old, new)), "{} and {:?}", new, all);
                all.push(new);
            }
        }
    }

    #[test]
    fn the_same_networks_in_the_same_order_give_the_same(
        taken in proptest::collection::vec(some_network(), 0..8),
        pods in some_network(),
        external in some_network(),
    ) {
        let mut one = AddressSpace::default();
        taken.iter().for_each(|network| one.take(*network));
        // What is taken counts, not when it was.
        let mut other = AddressSpace::default();
        taken.iter().rev().for_each(|network| other.take(*network));
        prop_assert_eq!(one.take_peer(pods, external), other.take_peer(pods, external));
    }

    #[test]
    fn what_is_carried_over_and_back_is_the_same(host in any::<u32>(), length in 0..33_u8) {
        let (here, there) = (Ipv4Addr::new(10, 200, 0, 0), Ipv4Addr::new(172, 16, 0, 0));
        let here = Ipv4Net::new(here, length).unwrap().trunc();
        let there = Ipv4Net::new(there, length).unwrap().trunc();
        let address = carried_over(here, host.into());
        prop_assert!(here.contains(&address));
        prop_assert_eq!(carried_over(here, carried_over(there, address)), address);
    }
}
